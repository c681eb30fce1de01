package org.stellaops.backup.postgres;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.model.UnreachablePointException;
import org.stellaops.backup.postgres.internal.restore.ClusterRestore;
import org.stellaops.backup.postgres.internal.restore.Directories;
import org.stellaops.backup.postgres.internal.restore.Recovery;
import org.stellaops.backup.postgres.internal.restore.Replay;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/**
 * A directory that becomes the data directory of a restored cluster. A value; every {@code
 * tablespace} returns another one.
 *
 * <p>Everything is unpacked and compared with the server's {@code backup_manifest} beside its place
 * (so the file system above has to have room for it), brought to the disk, and renamed into place.
 * An increment is combined on the way with the captures that it builds on, and {@code
 * backup_manifest} then is one of the combined directory. The directory must be absent or empty,
 * and must not itself be a mount point. Files belong to the user of this process; start the server
 * as the same user: {@code pg_ctl -D <directory> start}. It replays the WAL that was captured with
 * it and opens.
 *
 * <p>A capture of a standby, too, becomes a primary of its own: {@code standby.signal} and {@code
 * recovery.signal} are left out, which is a finding. {@code primary_conninfo} and {@code
 * primary_slot_name} stay as they were captured, and mean nothing to a primary. To have a standby,
 * create {@code standby.signal} before the first start.
 *
 * <p>Where a tablespace was mapped, {@code tablespace_map} differs from the manifest: {@code
 * pg_verifybackup} then needs {@code --ignore=tablespace_map}.
 */
public final class PostgresTarget implements RestoreTarget {
  private final Path directory;
  private final Map<Long, Path> mapped;
  private final Optional<Long> timeline;
  private final @Nullable ClusterProof proof;

  private PostgresTarget(
      Path directory,
      Map<Long, Path> mapped,
      Optional<Long> timeline,
      @Nullable ClusterProof proof) {
    this.timeline = timeline;
    this.directory = directory;
    this.mapped = new TreeMap<>(mapped);
    this.proof = proof;
  }

  /** The future data directory. */
  public static PostgresTarget directory(Path directory) {
    Path absolute = directory.toAbsolutePath().normalize();
    if (absolute.getFileName() == null) {
      throw new IllegalArgumentException("the root of a file system cannot be a data directory");
    }
    return new PostgresTarget(absolute, Map.of(), Optional.empty(), null);
  }

  /**
   * A running server that gets the databases of a logical backup.
   *
   * @param connection of a superuser
   * @param programs of at least the version that made the archives
   */
  public static LogicalTarget databases(PostgresConnection connection, PostgresPrograms programs) {
    return LogicalTarget.of(connection, programs);
  }

  /**
   * Restores a tablespace elsewhere. One that is not mapped goes where it was, if nothing is there.
   *
   * @param oid of the tablespace in the captured cluster: its artifact is {@code <oid>.tar}
   * @param directory absent or empty, and no mount point
   */
  public PostgresTarget tablespace(long oid, Path directory) {
    Map<Long, Path> more = new TreeMap<>(mapped);
    more.put(oid, directory.toAbsolutePath().normalize());
    return new PostgresTarget(this.directory, more, timeline, proof);
  }

  /**
   * Where recorded WAL is replayed: along this timeline, instead of the newest that was recorded.
   *
   * @throws IllegalArgumentException unless it is from 1 to 2^32 - 1
   */
  public PostgresTarget timeline(long number) {
    if (number < 1 || number > 0xFFFF_FFFFL) {
      throw new IllegalArgumentException("timeline " + number);
    }
    return new PostgresTarget(directory, mapped, Optional.of(number), proof);
  }

  /**
   * Has the restored cluster prove itself before the restore counts as done: a private server is
   * started on it that only this user can reach, recovery is awaited, {@code integrity} is checked,
   * the server is stopped. If any of this fails, so does the restore, and it is taken back. What
   * was looked at is told in a finding, {@link PostgresFailure#PROVEN}.
   *
   * <p>The cluster is then a primary already: nothing is archived while it proves itself, so its
   * next backup has to be a full one.
   */
  public PostgresTarget provenBy(PostgresPrograms programs, PostgresIntegrity integrity) {
    return new PostgresTarget(directory, mapped, timeline, new ClusterProof(programs, integrity));
  }

  @Override
  public TargetDescription describe() {
    Map<String, String> options =
        mapped.entrySet().stream()
            .collect(
                Collectors.toMap(
                    e -> PhysicalCapture.TABLESPACE_PROPERTY + e.getKey(),
                    e -> e.getValue().toString(),
                    (one, other) -> one,
                    TreeMap::new));
    timeline.ifPresent(t -> options.put("timeline", t.toString()));
    if (proof != null) {
      options.put("proven-by", proof.programs().directory() + ", " + proof.integrity());
    }
    return new TargetDescription(directory.toString(), options);
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return kind.value().equals(PostgresSource.PHYSICAL_KIND);
  }

  @Override
  public void plan(RestorePlanning planning) throws IOException {
    planning.undo(RestorePlanning.Undo.REMOVE);
    planState(planning);
    planPlace(planning, directory, CoreFailure.TARGET_NOT_EMPTY);
    planArtifacts(planning);
    planReplay(planning);
    if (proof != null) {
      proof.plan(planning, directory);
    }
    if (planning.requested().properties().containsKey(PhysicalCapture.ROLE_PROPERTY)) {
      planning.advice(
          "role",
          "captured from a standby; what is restored is a primary of its own, and follows no server");
    }
    planning.advice(
        "owner", "files belong to the user of this process; the server must run as the same user");
    planning.advice("start", "pg_ctl -D " + directory + " start");
  }

  @Override
  public void stage(RestoreSession session) throws IOException {
    ClusterRestore restore = restore(session);
    Optional<RecoveryPoint> point = session.point();
    if (point.isPresent()) {
      restore.stage(recovery(newest(session), session.recorded()), point.get());
    } else {
      restore.stage();
    }
  }

  @Override
  public void publish(RestoreSession session) throws IOException {
    restore(session).publish();
    if (proof != null) {
      proof.run(directory, session);
    }
  }

  @Override
  public void rollBack(RestoreSession session) throws IOException {
    restore(session).rollBack();
  }

  @Override
  public void settle(RestoreSession session) throws IOException {
    restore(session).settle();
  }

  @Override
  public String toString() {
    return "PostgresTarget[" + directory + "]";
  }

  /** What becomes of what was recorded; why the point cannot be reached is a blocker. */
  private void planReplay(RestorePlanning planning) throws IOException {
    Optional<RecoveryPoint> point = planning.point();
    if (point.isEmpty()) {
      return;
    }
    try {
      Replay replay = recovery(planning.requested(), planning.recorded()).to(point.get());
      planning.step(replay.describe(), replay.lengthBytes());
      planning.needsSpace(Directories.above(directory), replay.lengthBytes());
      planning.advice(
          "recovery",
          "the server replays when it is started, and opens on a new timeline when it is done");
    } catch (UnreachablePointException e) {
      planning.blocker(
          new Finding(e.code(), planning.requested().header().source().value(), e.found()));
    }
  }

  private Recovery recovery(CapturedSource captured, Optional<RecordedStream> recorded) {
    return new Recovery(captured, recorded, timeline);
  }

  private static CapturedSource newest(RestoreSession session) {
    return session.chain().get(session.chain().size() - 1);
  }

  private ClusterRestore restore(RestoreSession session) throws IOException {
    List<CapturedSource> chain = session.chain();
    return new ClusterRestore(session, directory, places(chain.get(chain.size() - 1)));
  }

  /** Where the tablespaces of a capture go. */
  private Map<String, Path> places(CapturedSource captured) {
    Map<String, Path> places = new TreeMap<>();
    captured
        .properties()
        .forEach(
            (name, was) -> {
              if (name.startsWith(PhysicalCapture.TABLESPACE_PROPERTY)) {
                String oid = name.substring(PhysicalCapture.TABLESPACE_PROPERTY.length());
                places.put(oid, mapped.getOrDefault(Long.valueOf(oid), Path.of(was)));
              }
            });
    return places;
  }

  private void planState(RestorePlanning planning) throws IOException {
    Occupancy occupancy = occupancy();
    Digest fingerprint =
        Digest.ofContent((directory + " " + occupancy).getBytes(StandardCharsets.UTF_8));
    planning.state(new TargetState(occupancy, fingerprint, directory + ": " + occupancy));
    if (occupancy == Occupancy.LIVE) {
      blocker(planning, PostgresFailure.SERVER_RUNS, directory, "it has a postmaster.pid");
    }
  }

  private Occupancy occupancy() throws IOException {
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return Occupancy.ABSENT;
    }
    if (Directories.isVacant(directory)) {
      return Occupancy.EMPTY;
    }
    return Files.exists(directory.resolve("postmaster.pid")) ? Occupancy.LIVE : Occupancy.OCCUPIED;
  }

  private void planArtifacts(RestorePlanning planning) throws IOException {
    CapturedSource captured = planning.requested();
    Map<String, Path> places = places(captured);
    for (CapturedSource link : planning.chain()) {
      planComplete(planning, link);
    }
    for (CapturedArtifact artifact : captured.artifacts()) {
      Path place = places.getOrDefault(artifact.name().value().replace(".tar", ""), directory);
      planning.step("unpack %s to %s".formatted(artifact.name(), place), artifact.plainBytes());
      planning.needsSpace(Directories.above(place), unpackedBytes(captured, artifact));
    }
    List<CapturedSource> before = planning.chain().subList(0, planning.chain().size() - 1);
    for (int i = before.size() - 1; i >= 0; i--) {
      planning.step(
          "add what did not change since snapshot " + before.get(i).header().snapshot(),
          before.get(i).artifacts().stream().mapToLong(CapturedArtifact::plainBytes).sum());
    }
    planTablespaces(planning, places);
  }

  private static void planComplete(RestorePlanning planning, CapturedSource captured) {
    for (ArtifactName needed : List.of(PhysicalCapture.BASE, PhysicalCapture.MANIFEST)) {
      if (captured.artifact(needed).isEmpty()) {
        planning.blocker(
            new Finding(PostgresFailure.MANIFEST_DIFFERS, needed.value(), "not in the capture"));
      }
    }
  }

  /** What an archive takes in its place; that of an increment is smaller than what it becomes. */
  private static long unpackedBytes(CapturedSource captured, CapturedArtifact artifact) {
    String stated = captured.properties().get(PhysicalCapture.UNPACKED_PROPERTY + artifact.name());
    return stated == null ? artifact.plainBytes() : Long.parseLong(stated);
  }

  private void planTablespaces(RestorePlanning planning, Map<String, Path> places)
      throws IOException {
    for (Map.Entry<String, Path> entry : places.entrySet()) {
      Path place = entry.getValue();
      if (!place.isAbsolute() || place.getFileName() == null) {
        blocker(planning, PostgresFailure.TABLESPACE_UNMAPPED, place, "not an absolute path");
        continue;
      }
      planPlace(planning, place, PostgresFailure.TABLESPACE_UNMAPPED);
      boolean isShared =
          places.entrySet().stream()
              .anyMatch(other -> other != entry && overlap(other.getValue(), place));
      if (isShared || overlap(place, directory)) {
        blocker(
            planning,
            PostgresFailure.TABLESPACE_UNMAPPED,
            place,
            "tablespace %s would lie within another directory of this restore, or around it"
                .formatted(entry.getKey()));
      }
    }
    for (Map.Entry<Long, Path> entry : mapped.entrySet()) {
      if (!places.containsKey(entry.getKey().toString())) {
        blocker(
            planning,
            PostgresFailure.TABLESPACE_UNMAPPED,
            entry.getValue(),
            "the capture has no tablespace %d; it has %s"
                .formatted(entry.getKey(), places.keySet()));
      }
    }
  }

  private static boolean overlap(Path one, Path other) {
    return one.startsWith(other) || other.startsWith(one);
  }

  private static void planPlace(RestorePlanning planning, Path place, FailureCode occupied)
      throws IOException {
    Path above = Directories.above(place);
    if (!Directories.isVacant(place)) {
      blocker(planning, occupied, place, "expected nothing or an empty directory, found content");
    }
    for (Path around = above; around != null; around = around.getParent()) {
      if (Files.exists(around.resolve("PG_VERSION"))) {
        blocker(
            planning,
            PostgresFailure.NOT_A_DATA_DIRECTORY,
            place,
            "it lies within the data directory " + around + ", which belongs to a cluster");
      }
    }
    Path existing = above;
    while (existing != null && !Files.isDirectory(existing)) {
      existing = existing.getParent();
    }
    if (existing == null || !Files.isWritable(existing)) {
      blocker(
          planning, PostgresFailure.NOT_A_DATA_DIRECTORY, place, above + " cannot be written to");
    } else if (Files.isDirectory(place)
        && !Files.getFileStore(place).equals(Files.getFileStore(above))) {
      blocker(
          planning,
          PostgresFailure.NOT_A_DATA_DIRECTORY,
          place,
          "it is a mount point, which nothing can be renamed to; hint: use a directory below it");
    }
  }

  private static void blocker(RestorePlanning planning, FailureCode code, Path path, String found) {
    planning.blocker(new Finding(code, path.toString(), found));
  }
}
