package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.retention.PrunePreview;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;

/** A machine whose repository is in a bucket: all on one thread, so that requests have an order. */
final class RepositoryInBucket {
  private final Path directory;
  private final BackupSink sink;
  private final AgeIdentity identity;

  RepositoryInBucket(Path directory, BackupSink sink, AgeIdentity identity) throws IOException {
    this.directory = Files.createDirectories(directory);
    this.sink = sink;
    this.identity = identity;
    keys().open().close();
    janitor().open().close();
  }

  /** Writes the one file that is captured. */
  void write(long seed, int bytes) throws IOException {
    byte[] content = new byte[bytes];
    new Random(seed).nextBytes(content);
    Files.createDirectories(source());
    Files.write(source().resolve("file"), content);
  }

  SnapshotId backUp(String name) throws IOException {
    try (BackupEngine engine = engine()) {
      var report = engine.backup(BackupRequest.full().named(name));
      assertEquals(Outcome.GOOD, report.outcome(), report.toString());
      return report.snapshot();
    }
  }

  /** The law: what is listed is complete, to whoever has nothing but the bucket and an identity. */
  void requireAllComplete() throws IOException {
    try (BackupRepository repository = open()) {
      for (var snapshot : repository.catalog().list(SnapshotFilter.all())) {
        repository.verify(snapshot.id());
      }
    } catch (BackupException.Refused e) {
      assertEquals(CoreFailure.NOT_A_REPOSITORY, e.code(), e.toString());
    }
  }

  boolean isThere(String name) throws IOException {
    try (BackupRepository repository = open()) {
      return repository.catalog().find(SnapshotRef.named(name)).isPresent();
    } catch (BackupException.Refused e) {
      assertEquals(CoreFailure.NOT_A_REPOSITORY, e.code(), e.toString());
      return false;
    }
  }

  /** Restores and compares with what is in the source now. */
  void requireRestored(SnapshotId snapshot, Path target) throws IOException {
    Files.createDirectories(target);
    try (BackupRepository repository = open()) {
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(snapshot).target("files", FileTarget.at(target)));
      repository.restore(plan, Confirmation.of(plan.digest()));
    }
    assertArrayEquals(
        Files.readAllBytes(source().resolve("file")), Files.readAllBytes(target.resolve("file")));
  }

  /** Keeps so many of the newest. */
  PruneReport prune(int newest) throws IOException {
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

  /** Whom everybody trusts here. */
  private Trust trust() throws IOException {
    return new Trust(
        List.of(
            new Trust.Signer(
                List.of("host-a", "host-a.*", "admin", "verify"), keys().id().publicKey()),
            new Trust.Signer(List.of("retention"), janitor().id().publicKey())));
  }

  private WriterKeyFile janitor() {
    return WriterKeyFile.at(directory.resolve("janitor.key")).named("janitor");
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
            .encryptTo(identity.recipient())
            .writer(keys())
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

  private BackupRepository open() throws IOException {
    return BackupRepository.at(sink)
        .identity(identity)
        .trust(trust())
        .executor(Runnable::run)
        .open();
  }

  private WriterKeyFile keys() {
    return WriterKeyFile.at(directory.resolve("writer.key")).named("host-a");
  }

  private Path source() {
    return directory.resolve("source");
  }
}
