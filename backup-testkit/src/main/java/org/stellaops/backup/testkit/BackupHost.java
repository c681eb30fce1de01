package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.RepairReport;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.plan.RepairPlan;
import org.stellaops.backup.plan.RepairRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.retention.PrunePreview;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.spi.WriterKeys;

/**
 * A machine that backs up one file, and whoever restores and prunes what it stored. All on the
 * caller's thread, so that requests to a store have an order. Not for several threads.
 */
public final class BackupHost {
  private static final int ALL = Integer.MAX_VALUE;

  private final Path directory;
  private final BackupSink sink;
  private final Identity identity;
  private final Recipient recipient;
  private final BiFunction<Path, String, WriterKeyring> keys;
  private int restores;

  /**
   * Makes the keys of a writer and of a janitor.
   *
   * @param directory for the file, the keys and what is restored; made where it is not there
   * @param sink of an empty place, or one that was backed up to from the same directory
   * @param identity restores
   * @param recipient the same one, to encrypt to
   * @param keys of a writer of that name, in a file that the first who opens them makes
   */
  public BackupHost(
      Path directory,
      BackupSink sink,
      Identity identity,
      Recipient recipient,
      BiFunction<Path, String, WriterKeyring> keys)
      throws IOException {
    this.directory = Files.createDirectories(directory);
    this.sink = sink;
    this.identity = identity;
    this.recipient = recipient;
    this.keys = keys;
    writer().open().close();
    janitor().open().close();
  }

  /** Where it backs up to. */
  public BackupSink sink() {
    return sink;
  }

  /** Writes the one file that is captured. */
  public void write(long seed, int bytes) throws IOException {
    Files.createDirectories(source());
    Files.write(source().resolve("file"), SeededBytes.of(seed, bytes));
  }

  /** Takes a full snapshot, which has to be good. */
  public SnapshotId backUp(String name) throws IOException {
    try (BackupEngine engine = engine()) {
      var report = engine.backup(BackupRequest.full().named(name));
      assertEquals(Outcome.GOOD, report.outcome(), report.toString());
      return report.snapshot();
    }
  }

  /** The law: what is listed is complete, to whoever has nothing but the store and an identity. */
  public void requireAllComplete() throws IOException {
    try (BackupRepository repository = open()) {
      for (var snapshot : repository.catalog().list(SnapshotFilter.all())) {
        repository.verify(snapshot.id());
      }
    } catch (BackupException.Refused e) {
      assertEquals(CoreFailure.NOT_A_REPOSITORY, e.code(), e.toString());
    }
  }

  /** Reads every stored object: nothing is damaged, and nothing of the layout is missing. */
  public void requireIntact() throws IOException {
    try (BackupRepository repository = open()) {
      RepositoryReport report = repository.check(Verification.stored());
      assertTrue(report.isIntact(), report.toString());
    }
  }

  /** Whether a snapshot of that name is listed. */
  public boolean isThere(String name) throws IOException {
    try (BackupRepository repository = open()) {
      return repository.catalog().find(SnapshotRef.named(name)).isPresent();
    } catch (BackupException.Refused e) {
      assertEquals(CoreFailure.NOT_A_REPOSITORY, e.code(), e.toString());
      return false;
    }
  }

  /** The names of all snapshots. */
  public Set<String> names() throws IOException {
    try (BackupRepository repository = open()) {
      return repository.catalog().list(SnapshotFilter.all()).stream()
          .map(s -> s.name().toString())
          .collect(Collectors.toSet());
    }
  }

  /** Restores and compares with what is in the source now. */
  public void requireRestored(SnapshotId snapshot) throws IOException {
    Path target = Files.createDirectories(directory.resolve("restored-" + restores++));
    try (BackupRepository repository = open()) {
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(snapshot).target("files", FileTarget.at(target)));
      repository.restore(plan, Confirmation.of(plan.digest()));
    }
    assertArrayEquals(
        Files.readAllBytes(source().resolve("file")), Files.readAllBytes(target.resolve("file")));
  }

  /**
   * Removes what no snapshot needs; in between the writer has to say that it knows.
   *
   * @param when for messages
   */
  public void requirePruned(String when) throws IOException {
    prune(ALL);
    backUp("between");
    PruneReport report = prune(ALL);
    assertEquals(List.of(), report.problems(), when);
  }

  /** Keeps so many of the newest snapshots, and lets go of the others at once. */
  public PruneReport prune(int newest) throws IOException {
    try (Janitor retention =
        Janitor.at(sink)
            .keys(janitor())
            .trust(trust())
            .retain(RetentionRules.of(newest(newest)).minimumAge(Duration.ZERO))
            .grace(Duration.ZERO)
            .minimumAge(Duration.ZERO)
            .open()) {
      PrunePreview preview = retention.planPrune();
      return retention.prune(preview, Confirmation.of(preview.digest()));
    }
  }

  /** The names of what a check finds hidden behind deletions and replacements. */
  public List<String> hidden() throws IOException {
    try (BackupRepository repository = open()) {
      return repository.check(Verification.stored()).damage().stream()
          .filter(f -> f.code() == CoreFailure.OBJECT_HIDDEN)
          .map(Finding::subject)
          .toList();
    }
  }

  /** Brings back what is hidden, and fails if something else is to be done. */
  public void repair() throws IOException {
    RepairReport report;
    try (BackupEngine engine = engine()) {
      do {
        RepairPlan plan = engine.planRepair(RepairRequest.of(Verification.stored()));
        assertTrue(plan.steps().stream().allMatch(RepairPlan.Step::isBroughtBack), plan::describe);
        report = engine.repair(plan, Confirmation.of(plan.digest()));
        assertEquals(List.of(), report.failed());
      } while (report.isToBeRepeated());
    }
  }

  /** Whom everybody trusts here. */
  private Trust trust() throws IOException {
    return new Trust(
        List.of(
            new Trust.Signer(List.of("host-a", "host-a.*", "admin", "verify"), publicKey(writer())),
            new Trust.Signer(List.of("retention"), publicKey(janitor()))));
  }

  private static String publicKey(WriterKeyring keyring) throws IOException {
    try (WriterKeys opened = keyring.open()) {
      return opened.id().publicKey();
    }
  }

  private WriterKeyring janitor() {
    return keys.apply(directory.resolve("janitor.key"), "janitor");
  }

  private static RetentionPolicy newest(int captures) {
    return (all, now) ->
        new RetentionDecision(
            all.stream()
                .limit(captures)
                .collect(Collectors.toMap(CaptureHeader::snapshot, c -> List.of("newest"))));
  }

  private BackupEngine engine() throws IOException {
    BackupPlan plan =
        BackupPlan.named("test")
            .encryptTo(recipient)
            .writer(writer())
            .trust(trust())
            .limits(new Limits(32 << 20, 1, 1, 64 << 10))
            .sink(sink)
            .source("files", FileSource.in(source()))
            .build();
    return BackupEngine.with(plan)
        .executor(Runnable::run)
        .instance("host-a")
        .workspace(directory.resolve("workspace"))
        .open();
  }

  /** The repository as whoever restores sees it; the caller closes it. */
  public BackupRepository open() throws IOException {
    return BackupRepository.at(sink)
        .identity(identity)
        .trust(trust())
        .executor(Runnable::run)
        .open();
  }

  private WriterKeyring writer() {
    return keys.apply(directory.resolve("writer.key"), "host-a");
  }

  private Path source() {
    return directory.resolve("source");
  }
}
