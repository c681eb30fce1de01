package org.stellaops.backup.postgres.internal.restore;

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
import java.util.LinkedHashMap;
import java.util.Map;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.manifest.FileLedger;
import org.stellaops.backup.postgres.internal.manifest.ManifestReader;
import org.stellaops.backup.postgres.internal.tar.TarScanner;
import org.stellaops.backup.spi.RestoreSession;

/**
 * One restore of a base backup: the data directory and each tablespace are staged beside their
 * places; then the tablespaces are renamed into theirs, and last the data directory, so that a
 * server can start on it only when everything is there.
 *
 * <p>Before the first rename of a tablespace, a note is left beside the data directory that says so
 * for every tablespace moved; without it a roll-back could not tell ours from somebody else's.
 */
public final class ClusterRestore {
  private static final String MANIFEST = "backup_manifest";
  private static final String BASE = "base.tar";
  private static final String MAP = "tablespace_map";

  /** A map has a line of at most a kilobyte for each tablespace. */
  private static final int MAX_MAP_BYTES = 16 << 20;

  private static final int BUFFER_BYTES = 256 << 10;

  private final RestoreSession session;
  private final CapturedSource captured;
  private final StagedDirectory data;
  private final Map<String, StagedDirectory> tablespaces = new LinkedHashMap<>();
  private final Path movedNote;
  private final FileLedger ledger = new FileLedger();
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private long readBytes;

  /**
   * For one run.
   *
   * @param place of the data directory
   * @param tablespaces where each tablespace of the capture goes, by oid
   */
  public ClusterRestore(RestoreSession session, Path place, Map<String, Path> tablespaces)
      throws IOException {
    this.session = session;
    this.captured = only(session);
    this.data = StagedDirectory.of(place, session.run());
    tablespaces.forEach(
        (oid, path) -> this.tablespaces.put(oid, StagedDirectory.of(path, session.run())));
    this.movedNote = data.staging().resolveSibling(data.staging().getFileName() + ".moved");
  }

  /** Unpacks and verifies everything beside its place, and brings it to the disk. */
  public void stage() throws IOException {
    try {
      begin();
      readManifest();
      for (CapturedArtifact artifact : captured.artifacts()) {
        if (!artifact.name().value().equals(MANIFEST)) {
          unpack(artifact.name());
        }
      }
      Extraction.requireNone(ledger.close());
      placeTablespaces();
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
        data.publish();
      } else if (!isOurs(data.place())) {
        throw new BackupException.Target(
            CoreFailure.TARGET_FAILED, "nothing is staged for " + data.place());
      }
      Files.deleteIfExists(movedNote);
    } catch (IOException e) {
      throw failed("publish " + data.place(), e);
    }
  }

  /** Removes what {@link #stage} and {@link #publish} made, and nothing else. */
  public void rollBack() throws IOException {
    boolean isPublished = !data.isStaged() && isOurs(data.place());
    if (isPublished && Files.exists(data.place().resolve("postmaster.pid"))) {
      throw new BackupException.Target(
          PostgresFailure.SERVER_RUNS,
          "a server runs on %s, so it was not removed".formatted(data.place()));
    }
    try {
      String moved = Files.exists(movedNote) ? Files.readString(movedNote) : "";
      if (isPublished) {
        data.unpublish();
      }
      for (StagedDirectory space : tablespaces.values()) {
        boolean isMoved = isPublished || moved.lines().anyMatch(space.place().toString()::equals);
        if (isMoved && !space.isStaged() && !Directories.isVacant(space.place())) {
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

  private void begin() throws IOException {
    data.begin();
    for (StagedDirectory space : tablespaces.values()) {
      space.begin();
    }
  }

  private void sync() throws IOException {
    Directories.sync(data.staging());
    for (StagedDirectory space : tablespaces.values()) {
      Directories.sync(space.staging());
    }
  }

  private void readManifest() throws IOException {
    var reader = new ManifestReader(ledger::declare);
    try (InputStream in = session.open(captured, ArtifactName.of(MANIFEST));
        FileChannel copy = Directories.createFile(data.staging().resolve(MANIFEST));
        OutputStream out = Channels.newOutputStream(copy)) {
      for (int n = read(in); n >= 0; n = read(in)) {
        reader.accept(buffer, 0, n);
        out.write(buffer, 0, n);
      }
      reader.finish();
    }
  }

  private void unpack(ArtifactName archive) throws IOException {
    try (InputStream in = session.open(captured, archive);
        Extraction extraction = extraction(archive)) {
      var scanner = new TarScanner(archive.value(), extraction);
      for (int n = read(in); n >= 0; n = read(in)) {
        scanner.scanAll(buffer, 0, n);
      }
      scanner.finish();
    }
  }

  private Extraction extraction(ArtifactName archive) throws BackupException.Target {
    String name = archive.value();
    if (name.equals(BASE)) {
      return new Extraction(data.staging(), "", ledger);
    }
    String oid = name.replace(".tar", "");
    StagedDirectory space = tablespaces.get(oid);
    if (space == null) {
      throw new BackupException.Target(
          PostgresFailure.TABLESPACE_UNMAPPED, "no place is known for the artifact " + name);
    }
    return new Extraction(space.staging(), "pg_tblspc/" + oid + "/", ledger);
  }

  private int read(InputStream in) throws IOException {
    session.stopping().check();
    int n = in.read(buffer);
    if (n > 0) {
      readBytes += n;
      long all = captured.artifacts().stream().mapToLong(CapturedArtifact::plainBytes).sum();
      session.progress(readBytes, ledger.files(), all);
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
      Files.delete(file);
      try (FileChannel rewritten = Directories.createFile(file)) {
        rewritten.write(
            ByteBuffer.wrap(new TablespaceMap(places).text().getBytes(StandardCharsets.UTF_8)));
      }
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

  /** Whether a directory holds the manifest of exactly this capture. */
  private boolean isOurs(Path place) throws IOException {
    Path manifest = place.resolve(MANIFEST);
    if (!Files.isRegularFile(manifest, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    var digest = Digest.sha256();
    try (InputStream in = Files.newInputStream(manifest)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    Digest found = Digest.of(digest.digest());
    return captured
        .artifact(ArtifactName.of(MANIFEST))
        .filter(a -> a.plain().equals(found))
        .isPresent();
  }

  private static CapturedSource only(RestoreSession session) throws BackupException.Target {
    if (session.chain().size() != 1) {
      throw new BackupException.Target(
          CoreFailure.TARGET_FAILED,
          "expected one full capture, found a chain of " + session.chain().size());
    }
    return session.chain().get(0);
  }

  private static IOException failed(String what, IOException e) {
    return e instanceof BackupException
        ? e
        : new BackupException.Target(CoreFailure.TARGET_FAILED, what + ": " + e, e);
  }
}
