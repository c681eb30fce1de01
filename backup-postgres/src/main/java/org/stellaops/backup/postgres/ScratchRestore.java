package org.stellaops.backup.postgres;

import java.io.IOException;
import java.nio.file.Path;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.postgres.LastGoodPoint.Verdict;
import org.stellaops.backup.postgres.internal.restore.Directories;
import org.stellaops.backup.spi.Identity;

/**
 * A trial by real restores: into a directory that is removed again, where the cluster is started,
 * asked whether it is sound, and stopped. For clusters without tablespaces, which would go to where
 * they came from.
 */
public final class ScratchRestore implements LastGoodPoint.Trial {
  private final BackupRepository repository;
  private final String source;
  private final Path directory;
  private final PostgresTarget target;
  private final Identity identity;

  /**
   * Restores one source of a repository again and again.
   *
   * @param source what the plan calls the cluster
   * @param directory that does not exist; its parent has room for the cluster
   * @param programs of the cluster's version
   * @param integrity what has to hold; a critical finding is a bad verdict
   * @param identity that opens the repository; the caller closes it
   */
  public ScratchRestore(
      BackupRepository repository,
      String source,
      Path directory,
      PostgresPrograms programs,
      PostgresIntegrity integrity,
      Identity identity) {
    this.repository = repository;
    this.source = source;
    this.directory = directory;
    this.target = PostgresTarget.directory(directory).provenBy(programs, integrity);
    this.identity = identity;
  }

  @Override
  public Verdict at(RecoveryPoint point) throws IOException {
    RestorePlan plan =
        repository.planRestore(
            RestoreRequest.at(point).only(source).with(identity).target(source, target));
    try {
      repository.restore(plan, Confirmation.of(plan.digest()));
      Directories.remove(directory);
      return Verdict.GOOD;
    } catch (BackupException.Target e) {
      if (e.code() != PostgresFailure.INTEGRITY_BROKEN) {
        throw e;
      }
      // The restore was rolled back.
      return Verdict.BAD;
    }
  }
}
