package org.stellaops.backup.postgres.internal.restore;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.UnreachablePointException;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.increment.IncrementalPath;
import org.stellaops.backup.postgres.internal.manifest.FileContents;
import org.stellaops.backup.postgres.internal.manifest.FileLedger;
import org.stellaops.backup.postgres.internal.manifest.ManifestReader;
import org.stellaops.backup.postgres.internal.manifest.ManifestRewrite;
import org.stellaops.backup.postgres.internal.manifest.ManifestRewrite.Made;
import org.stellaops.backup.postgres.internal.tar.TarScanner;
import org.stellaops.backup.spi.RestoreSession;

/**
 * One restore of a base backup, with the increments on it: the data directory and each tablespace
 * are staged beside their places; then the tablespaces are renamed into theirs, and last the data
 * directory, so that a server can start on it only when everything is there.
 *
 * <p>Before each rename a note beside the data directory says so, until the restore is settled;
 * without it a roll-back could not tell ours from somebody else's.
 */
public final class ClusterRestore {
  private static final String MANIFEST = "backup_manifest";
  private static final String BASE = "base.tar";
  private static final String MAP = "tablespace_map";

  /** A map has a line of at most a kilobyte for each tablespace. */
  private static final int MAX_MAP_BYTES = 16 << 20;

  private static final int BUFFER_BYTES = 256 << 10;

  private final RestoreSession session;
  private final List<CapturedSource> chain;
  private final StagedDirectory data;
  private final Map<String, StagedDirectory> tablespaces = new LinkedHashMap<>();
  private final Path movedNote;
  private final Combination combination;
  private final Map<String, Made> made = new HashMap<>();
  private final long expectedBytes;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private FileLedger ledger = new FileLedger();
  private BackupLabel.@Nullable Point newerSince;
  private String system = "";
  private long readBytes;
  private long filesBefore;

  /**
   * For one run.
   *
   * @param place of the data directory
   * @param tablespaces where each tablespace of the newest capture goes, by oid
   */
  public ClusterRestore(RestoreSession session, Path place, Map<String, Path> tablespaces)
      throws IOException {
    this.session = session;
    this.chain = session.chain();
    this.combination = new Combination(session.executor());
    this.expectedBytes =
        chain.stream()
            .flatMap(captured -> captured.artifacts().stream())
            .mapToLong(CapturedArtifact::plainBytes)
            .sum();
    this.data = StagedDirectory.of(place, session.run());
    tablespaces.forEach(
        (oid, path) -> this.tablespaces.put(oid, StagedDirectory.of(path, session.run())));
    this.movedNote = data.staging().resolveSibling(data.staging().getFileName() + ".moved");
  }

  /** Unpacks and verifies everything beside its place, and brings it to the disk. */
  public void stage() throws IOException {
    stage(data -> {});
  }

  /** The same, with the WAL that leads on from there to a point. */
  public void stage(Recovery recovery, RecoveryPoint point) throws IOException {
    stage(
        staged -> {
          try {
            recovery.stage(session, staged, point);
          } catch (UnreachablePointException e) {
            throw new BackupException.Target(e.code(), e.found(), e);
          }
        });
  }

  /** Something to be done in the staged data directory before it is brought to the disk. */
  @FunctionalInterface
  private interface Addition {
    void to(Path staged) throws IOException;
  }

  private void stage(Addition addition) throws IOException {
    try {
      begin();
      for (int i = chain.size() - 1; i >= 0; i--) {
        stage(chain.get(i), i == chain.size() - 1);
        combination.endCapture(chain.get(i).header().snapshot().value(), i == 0);
      }
      placeTablespaces();
      if (isCombined()) {
        rewriteManifest();
      }
      becomePrimary();
      addition.to(data.staging());
      sync();
    } catch (IOException e) {
      throw failed("stage " + data.place(), e);
    }
  }

  /** Renames everything into its place. */
  public void publish() throws IOException {
    try {
      if (data.isStaged()) {
        for (StagedDirectory space : tablespaces.values()) {
          if (space.isStaged()) {
            note(space);
            space.publish();
          }
        }
        note(data);
        data.publish();
      } else if (!isMoved(data)) {
        throw new BackupException.Target(
            CoreFailure.TARGET_FAILED, "nothing is staged for " + data.place());
      }
    } catch (IOException e) {
      throw failed("publish " + data.place(), e);
    }
  }

  /** Removes what {@link #stage} and {@link #publish} made, and nothing else. */
  public void rollBack() throws IOException {
    boolean isPublished = isMoved(data);
    if (isPublished && Files.exists(data.place().resolve("postmaster.pid"))) {
      throw new BackupException.Target(
          PostgresFailure.SERVER_RUNS,
          "a server runs on %s, so it was not removed".formatted(data.place()));
    }
    try {
      if (isPublished) {
        data.unpublish();
      }
      for (StagedDirectory space : tablespaces.values()) {
        if (isMoved(space)) {
          space.unpublish();
        }
        Directories.remove(space.staging());
      }
      Directories.remove(data.staging());
      Files.deleteIfExists(movedNote);
    } catch (IOException e) {
      throw failed("roll back " + data.place(), e);
    }
  }

  /** Forgets what a roll-back would have to know. */
  public void settle() throws IOException {
    Files.deleteIfExists(movedNote);
  }

  private void begin() throws IOException {
    data.begin();
    for (StagedDirectory space : tablespaces.values()) {
      space.begin();
    }
  }

  private void sync() throws IOException {
    Directories.sync(data.staging(), session.executor());
    for (StagedDirectory space : tablespaces.values()) {
      Directories.sync(space.staging(), session.executor());
    }
  }

  /**
   * {@code backup_manifest} goes on to name the signals; pg_verifybackup looks for none of them.
   */
  private void becomePrimary() throws IOException {
    for (String signal : RecoverySettings.forgetSignals(data.staging())) {
      session.finding(
          new Finding(
              PostgresFailure.RESTORED_AS_PRIMARY,
              data.place().toString(),
              signal
                  + " was left out: the cluster opens by itself, and follows no server, whatever"
                  + " primary_conninfo and primary_slot_name still say"));
    }
  }

  private boolean isCombined() {
    return chain.size() > 1;
  }

  /** Reads one capture to its end, and compares it with its own manifest. */
  private void stage(CapturedSource captured, boolean isNewest) throws IOException {
    filesBefore += ledger.files();
    ledger = new FileLedger();
    readManifest(captured, isNewest);
    for (CapturedArtifact artifact : captured.artifacts()) {
      if (!artifact.name().value().equals(MANIFEST)) {
        unpack(captured, artifact.name(), isNewest);
      }
    }
    Extraction.requireNone(ledger.close());
  }

  private void readManifest(CapturedSource captured, boolean isNewest) throws IOException {
    var reader = new ManifestReader(ledger::declare);
    try (InputStream in = session.open(captured, ArtifactName.of(MANIFEST));
        OutputStream out = isNewest ? newManifest(MANIFEST) : OutputStream.nullOutputStream()) {
      for (int n = read(in); n >= 0; n = read(in)) {
        reader.accept(buffer, 0, n);
        out.write(buffer, 0, n);
      }
      reader.finish();
    }
    if (!isNewest && !reader.systemIdentifier().equals(system)) {
      throw broken("of system %s and of system %s".formatted(reader.systemIdentifier(), system));
    }
    system = reader.systemIdentifier();
  }

  private OutputStream newManifest(String name) throws IOException {
    return Channels.newOutputStream(Directories.createFile(data.staging().resolve(name)));
  }

  private void unpack(CapturedSource captured, ArtifactName archive, boolean isNewest)
      throws IOException {
    try (InputStream in = session.open(captured, archive);
        ChainMembers members = members(archive, isNewest)) {
      var watch = new LabelWatch(members);
      var scanner = new TarScanner(archive.value(), watch);
      for (int n = read(in); n >= 0; n = read(in)) {
        scanner.scanAll(buffer, 0, n);
      }
      scanner.finish();
      if (archive.value().equals(BASE)) {
        checkLabel(captured, watch.label(), isNewest);
      }
    }
  }

  private ChainMembers members(ArtifactName archive, boolean isNewest)
      throws BackupException.Target {
    String name = archive.value();
    boolean isBase = name.equals(BASE);
    String oid = name.replace(".tar", "");
    String below = isBase ? "" : "pg_tblspc/" + oid + "/";
    if (!isNewest) {
      return ChainMembers.older(below, ledger, combination, session.executor());
    }
    StagedDirectory into = isBase ? data : tablespaces.get(oid);
    if (into == null) {
      throw new BackupException.Target(
          PostgresFailure.TABLESPACE_UNMAPPED, "no place is known for the artifact " + name);
    }
    return ChainMembers.newest(into.staging(), below, ledger, combination, session.executor());
  }

  /** Each increment begins where the capture before it does, and only the oldest is a full one. */
  private void checkLabel(CapturedSource captured, BackupLabel label, boolean isNewest)
      throws IOException {
    BackupLabel.Point expected = newerSince;
    if (!isNewest && !label.start().equals(expected)) {
      throw broken(
          "%s begins at %s, the increment after it was made since %s"
              .formatted(captured.header().snapshot(), label.start(), expected));
    }
    newerSince = label.since().orElse(null);
    boolean isOldest = captured.equals(chain.get(0));
    if (isOldest != (newerSince == null)) {
      throw broken(
          "%s is %s, expected %s"
              .formatted(
                  captured.header().snapshot(),
                  newerSince == null ? "a full capture" : "made since " + newerSince,
                  isOldest ? "a full capture" : "an increment"));
    }
    if (!isOldest && isNewest) {
      replace(BackupLabel.NAME, label.ofFull());
    }
  }

  /** Puts another text in place of a file that was unpacked. */
  private void replace(String name, String text) throws IOException {
    Path file = data.staging().resolve(name);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Files.delete(file);
    try (FileChannel rewritten = Directories.createFile(file)) {
      for (ByteBuffer left = ByteBuffer.wrap(bytes); left.hasRemaining(); ) {
        rewritten.write(left);
      }
    }
    var crc = new CRC32C();
    crc.update(bytes);
    made.put(name, new Made(name, FileContents.of(bytes.length, crc)));
  }

  /** The newest capture's manifest still tells of changed blocks; the directory has whole files. */
  private void rewriteManifest() throws IOException {
    combination
        .results()
        .forEach(
            (path, contents) -> made.put(IncrementalPath.changed(path), new Made(path, contents)));
    Path captured = data.staging().resolve(MANIFEST);
    String combined = MANIFEST + ".combined";
    try (BufferedReader from = Files.newBufferedReader(captured);
        OutputStream to = new BufferedOutputStream(newManifest(combined))) {
      ManifestRewrite.copy(from, to, made);
    }
    Files.move(data.staging().resolve(combined), captured, StandardCopyOption.REPLACE_EXISTING);
  }

  private int read(InputStream in) throws IOException {
    session.stopping().check();
    int n = in.read(buffer);
    if (n > 0) {
      readBytes += n;
      session.progress(readBytes, filesBefore + ledger.files(), expectedBytes);
    }
    return n;
  }

  /**
   * Tells the server where its tablespaces are now. The links are what a running server follows,
   * and what pg_verifybackup does; at its first start it makes them again from the map.
   */
  private void placeTablespaces() throws IOException {
    if (tablespaces.isEmpty()) {
      return;
    }
    Path file = data.staging().resolve(MAP);
    TablespaceMap map = readMap(file);
    if (!map.paths().keySet().equals(tablespaces.keySet())) {
      throw new BackupException.Corrupt(
          PostgresFailure.TAR_MALFORMED,
          "tablespace_map names %s, the capture has %s"
              .formatted(map.paths().keySet(), tablespaces.keySet()));
    }
    Map<String, String> places = new LinkedHashMap<>();
    for (String oid : map.paths().keySet()) {
      Path place = tablespaces.getOrDefault(oid, data).place();
      places.put(oid, place.toString());
      Files.createSymbolicLink(data.staging().resolve("pg_tblspc").resolve(oid), place);
    }
    if (!places.equals(map.paths())) {
      replace(MAP, new TablespaceMap(places).text());
    }
  }

  private static TablespaceMap readMap(Path file) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) > MAX_MAP_BYTES) {
      throw new BackupException.Corrupt(
          PostgresFailure.TAR_MALFORMED, "there are tablespaces, but no tablespace_map to use");
    }
    return TablespaceMap.parse(Files.readString(file));
  }

  private void note(StagedDirectory space) throws IOException {
    String before = Files.exists(movedNote) ? Files.readString(movedNote) : "";
    Files.deleteIfExists(movedNote);
    try (FileChannel note = Directories.createFile(movedNote)) {
      note.write(ByteBuffer.wrap((before + space.place() + "\n").getBytes(StandardCharsets.UTF_8)));
      note.force(true);
    }
  }

  /** Whether this run moved it into its place, and it is there. */
  private boolean isMoved(StagedDirectory directory) throws IOException {
    return Files.exists(movedNote)
        && Files.readString(movedNote).lines().anyMatch(directory.place().toString()::equals)
        && !directory.isStaged()
        && !Directories.isVacant(directory.place());
  }

  private static BackupException.Corrupt broken(String what) {
    return new BackupException.Corrupt(
        PostgresFailure.CHAIN_BROKEN, "the captures do not fit together: " + what);
  }

  private static IOException failed(String what, IOException e) {
    return e instanceof BackupException
        ? e
        : new BackupException.Target(CoreFailure.TARGET_FAILED, what + ": " + e, e);
  }
}
