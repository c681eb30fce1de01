package org.stellaops.backup.postgres;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.postgres.internal.increment.UnpackedSize;
import org.stellaops.backup.postgres.internal.manifest.FileLedger;
import org.stellaops.backup.postgres.internal.manifest.ManifestReader;
import org.stellaops.backup.postgres.internal.manifest.SummedMembers;
import org.stellaops.backup.postgres.internal.tar.TarMember;
import org.stellaops.backup.postgres.internal.tar.TarScanner;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.WalOrigin;
import org.stellaops.backup.postgres.internal.wire.BaseBackup;
import org.stellaops.backup.postgres.internal.wire.ServerMessage;
import org.stellaops.backup.postgres.internal.wire.SystemIdentity;
import org.stellaops.backup.postgres.internal.wire.Tablespace;
import org.stellaops.backup.postgres.internal.wire.Wire;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;

/** One base backup on its way from a server into a session. */
final class PhysicalCapture {
  static final int OLDEST_MAJOR = 15;

  /** Property of the capture: where a tablespace was, {@code tablespace.16400=/mnt/fast}. */
  static final String TABLESPACE_PROPERTY = "tablespace.";

  /** Property of an increment: what an archive takes when it is combined with those before. */
  static final String UNPACKED_PROPERTY = "unpacked.";

  /** Property of the capture: {@code wal-segment-size=16MB}. */
  static final String SEGMENT_PROPERTY = "wal-segment-size";

  static final ArtifactName BASE = ArtifactName.of("base.tar");
  static final ArtifactName MANIFEST = ArtifactName.of("backup_manifest");

  /** Property of the capture: {@code server-role=standby}; without it, it was a primary. */
  static final String ROLE_PROPERTY = "server-role";

  static final String STANDBY = "standby";

  /** Members from this size on begin a chunk of their own, so that their pages stay aligned. */
  private static final long LARGE_MEMBER_BYTES = 256 << 10;

  private static final int MAX_WARNINGS = 50;
  private static final long PROGRESS_EVERY_BYTES = 4 << 20;

  private final PostgresConnection connection;
  private final CaptureSession session;
  private final DamagedPages damagedPages;
  private final ServerCompression compression;
  private final List<ServerMessage> warnings = new ArrayList<>();
  private final FileLedger ledger = new FileLedger();
  private @Nullable IncludedWal wal;
  private boolean hasConfiguration;
  private boolean isStandby;
  private boolean isIncremental;
  private long expectedBytes;
  private long sentBytes;
  private long reportedBytes;

  PhysicalCapture(
      PostgresConnection connection,
      CaptureSession session,
      DamagedPages damagedPages,
      ServerCompression compression) {
    this.damagedPages = damagedPages;
    this.compression = compression;
    this.connection = connection;
    this.session = session;
  }

  void run() throws IOException {
    Optional<ServerClock> clock = ServerClock.ask(connection);
    try (Wire wire = Wire.open(connection, session.stopping(), this::noticed)) {
      SystemIdentity system = wire.identifySystem();
      int major = describe(wire);
      isStandby = StandbyRole.is(wire);
      if (isStandby) {
        session.property(ROLE_PROPERTY, STANDBY);
      }
      try {
        take(wire, system, major, clock);
      } catch (BackupException.Source e) {
        throw isStandby ? StandbyRole.explain(wire, e) : e;
      }
    }
    session.captured(InventoryItem.of("files", ledger.files(), ledger.bytes()));
    report();
  }

  private void take(Wire wire, SystemIdentity system, int major, Optional<ServerClock> clock)
      throws IOException {
    SegmentSize segments = SegmentSize.parse(wire.show("wal_segment_size"));
    session.property(SEGMENT_PROPERTY, segments.toString());
    BaseBackup backup = begin(wire, system, major);
    WalOrigin origin = new WalOrigin(major, system.systemIdentifier(), segments, backup.timeline());
    IncludedWal included = new IncludedWal(origin, isStandby);
    if (!isStandby) {
      clock.ifPresent(c -> included.begun(c.atMost()));
    }
    wal = included;
    describe(backup.tablespaces());
    expectedBytes = backup.estimatedBytes();
    captureParts(backup);
    Lsn end = end(backup);
    requireNoProblems(ledger.close());
    session.span(
        new CaptureSpan(
            backup.start().in(system.systemIdentifier(), backup.timeline()),
            end.in(system.systemIdentifier(), backup.timeline()),
            included.recoverableFrom(session.clock().instant())));
  }

  private BaseBackup begin(Wire wire, SystemIdentity system, int major) throws IOException {
    String label = "stella-backup " + session.run();
    if (session.requested() == CaptureKind.INCREMENTAL) {
      Optional<BaseBackup> increment =
          new Increment(connection, session, compression, wire).begin(system, major, label);
      List<ServerMessage> saidBefore = List.copyOf(warnings);
      warnings.clear();
      if (increment.isPresent()) {
        isIncremental = true;
        saidBefore.forEach(this::awaited);
        return increment.get();
      }
    }
    return BaseBackup.full(wire, label, compression);
  }

  /** While it waits for its summaries the server warns; what it sends then is no worse for it. */
  private void awaited(ServerMessage said) {
    session.finding(
        new Finding(PostgresFailure.SUMMARIES_AWAITED, connection.toString(), said.message()));
  }

  /** Returns the major version. */
  private int describe(Wire wire) throws IOException {
    String version = wire.show("server_version");
    int number = Integer.parseInt(wire.show("server_version_num"));
    if (number / 10_000 < OLDEST_MAJOR) {
      throw new BackupException.Source(
          PostgresFailure.UNSUPPORTED_VERSION,
          "%s runs PostgreSQL %s; %d is the oldest that can be captured"
              .formatted(connection, version, OLDEST_MAJOR));
    }
    session.version("postgres", version);
    session.property("data-checksums", wire.show("data_checksums"));
    return number / 10_000;
  }

  private void describe(List<Tablespace> tablespaces) {
    for (Tablespace space : tablespaces) {
      session.property(TABLESPACE_PROPERTY + space.oid(), space.location());
    }
    session.captured(InventoryItem.of("tablespaces", tablespaces.size(), 0));
  }

  private void captureParts(BaseBackup backup) throws IOException {
    boolean hasManifest = false;
    for (Optional<BaseBackup.Part> next = backup.next(); next.isPresent(); next = backup.next()) {
      BaseBackup.Part part = next.get();
      if (part.isManifest()) {
        session.artifact(MANIFEST, Form.WHOLE.remembered(), out -> copyManifest(backup, out));
        hasManifest = true;
      } else {
        ArtifactName name = archiveName(part.name());
        session.artifact(name, Form.BLOCKS, out -> copyArchive(backup, name, out));
      }
    }
    if (!hasManifest) {
      throw new BackupException.Source(
          PostgresFailure.PROTOCOL, connection + ": the base backup came without a manifest");
    }
  }

  private ArtifactName archiveName(String sent) throws BackupException.Source {
    if (!sent.matches("(base|[0-9]{1,10})\\.tar")) {
      throw new BackupException.Source(
          PostgresFailure.PROTOCOL, "%s: an archive is called '%s'".formatted(connection, sent));
    }
    return ArtifactName.of(sent);
  }

  private void copyArchive(BaseBackup backup, ArtifactName name, ArtifactOutput out)
      throws IOException {
    String below = name.equals(BASE) ? "" : "pg_tblspc/" + name.value().replace(".tar", "/");
    var unpacked = new UnpackedSize(below, new SummedMembers(below, ledger));
    var members = new MemberWatch(unpacked, name.equals(BASE) ? wal : null);
    var scanner = new TarScanner(name.value(), members);
    members.watches(scanner);
    backup.copyTo(
        (bytes, offset, length) -> {
          for (int done = 0; done < length; ) {
            int taken = scan(scanner, bytes, offset + done, length - done);
            out.write(bytes, offset + done, taken);
            done += taken;
            if (members.isAtEdge()) {
              out.boundary();
            }
          }
          progress(length);
        });
    blamingSource(scanner::finish);
    hasConfiguration |= members.hasConfiguration;
    if (isIncremental) {
      session.property(UNPACKED_PROPERTY + name, Long.toString(unpacked.bytes()));
    }
  }

  private void copyManifest(BaseBackup backup, ArtifactOutput out) throws IOException {
    var reader = new ManifestReader(ledger::declare);
    backup.copyTo(
        (bytes, offset, length) -> {
          blamingSource(() -> reader.accept(bytes, offset, length));
          out.write(bytes, offset, length);
          progress(length);
        });
    blamingSource(reader::finish);
  }

  private static int scan(TarScanner scanner, byte[] bytes, int offset, int length)
      throws IOException {
    try {
      return scanner.scan(bytes, offset, length);
    } catch (BackupException.Corrupt e) {
      throw sentMalformed(e);
    }
  }

  private static void blamingSource(Reading reading) throws IOException {
    try {
      reading.run();
    } catch (BackupException.Corrupt e) {
      throw sentMalformed(e);
    }
  }

  /** Nothing is stored yet: what is malformed here is the source's fault. */
  private static BackupException.Source sentMalformed(BackupException.Corrupt e) {
    return new BackupException.Source(e.code(), "the server sent " + e.getMessage(), e);
  }

  /** The server tells of damaged pages in warnings, and fails when it has sent everything. */
  private Lsn end(BaseBackup backup) throws IOException {
    BaseBackup.End end = backup.end();
    try {
      backup.finish();
    } catch (BackupException.Source e) {
      if (e.code() != PostgresFailure.PAGE_CHECKSUM) {
        throw e;
      }
      judgeDamage(e);
    }
    if (end.timeline() != backup.timeline()) {
      throw new BackupException.Source(
          PostgresFailure.TIMELINE_CHANGED,
          "%s: expected the backup to end on timeline %d, where it began, found it to end at %s on timeline %d"
              .formatted(connection, backup.timeline(), end.lsn(), end.timeline()));
    }
    return end.lsn();
  }

  private void judgeDamage(BackupException.Source e) throws BackupException.Source {
    Map<String, List<String>> damaged =
        new DamagedRelations(connection).of(warnings.stream().map(ServerMessage::message).toList());
    if (damagedPages == DamagedPages.FAIL || damaged.isEmpty()) {
      throw new BackupException.Source(
          PostgresFailure.PAGE_CHECKSUM,
          "%s has damaged pages: %s"
              .formatted(connection, damaged.isEmpty() ? warningTexts() : damaged),
          e);
    }
    damaged.forEach(
        (relation, found) ->
            session.finding(
                new Finding(PostgresFailure.PAGE_CHECKSUM, relation, String.join("; ", found))));
    warnings.removeIf(w -> damaged.values().stream().anyMatch(f -> f.contains(w.message())));
  }

  private void requireNoProblems(List<String> problems) throws BackupException.Source {
    if (!problems.isEmpty()) {
      throw new BackupException.Source(
          PostgresFailure.MANIFEST_DIFFERS,
          "%s sent files that are not what its backup_manifest says: %s"
              .formatted(connection, String.join("; ", problems)));
    }
  }

  private void report() {
    for (ServerMessage warning : warnings) {
      session.finding(
          new Finding(PostgresFailure.SERVER_WARNING, connection.toString(), warning.toString()));
    }
    if (!hasConfiguration) {
      session.finding(
          new Finding(
              PostgresFailure.CONFIGURATION_OUTSIDE,
              connection.toString(),
              "postgresql.conf is not in the data directory, so it is not in this capture"));
    }
    session.progress(sentBytes, ledger.files(), sentBytes);
  }

  private void noticed(ServerMessage message) {
    if (message.severity().equals("WARNING") && warnings.size() < MAX_WARNINGS) {
      warnings.add(message);
    }
  }

  private String warningTexts() {
    return String.join("; ", warnings.stream().map(ServerMessage::message).toList());
  }

  private void progress(int bytes) {
    sentBytes += bytes;
    if (sentBytes - reportedBytes >= PROGRESS_EVERY_BYTES) {
      reportedBytes = sentBytes;
      session.progress(sentBytes, ledger.files(), Math.max(expectedBytes, sentBytes));
    }
  }

  /** A step of reading what the server sent. */
  @FunctionalInterface
  private interface Reading {
    void run() throws IOException;
  }

  /** Notes what the capture has to know of the members that pass. */
  private static final class MemberWatch implements TarScanner.Members {
    private final TarScanner.Members inner;
    private boolean isAtEdge;
    private boolean hasConfiguration;

    private final @Nullable IncludedWal wal;
    private @Nullable TarScanner scanner;

    private MemberWatch(TarScanner.Members inner, @Nullable IncludedWal wal) {
      this.inner = inner;
      this.wal = wal;
    }

    private void watches(TarScanner of) {
      scanner = of;
    }

    @Override
    public void begin(TarMember member) throws IOException {
      isAtEdge = member.sizeBytes() >= LARGE_MEMBER_BYTES;
      hasConfiguration |= member.path().equals("postgresql.conf");
      if (wal != null && scanner != null) {
        wal.begin(member.path(), scanner.modified());
      }
      inner.begin(member);
    }

    @Override
    public void content(byte[] bytes, int offset, int length) throws IOException {
      if (wal != null) {
        wal.content(bytes, offset, length);
      }
      inner.content(bytes, offset, length);
    }

    @Override
    public void end(TarMember member) throws IOException {
      isAtEdge = member.sizeBytes() >= LARGE_MEMBER_BYTES;
      inner.end(member);
    }

    /** Asked once after each edge. */
    private boolean isAtEdge() {
      boolean is = isAtEdge;
      isAtEdge = false;
      return is;
    }
  }
}
