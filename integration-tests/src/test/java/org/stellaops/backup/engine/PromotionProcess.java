package org.stellaops.backup.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.PromotionPlan;
import org.stellaops.backup.plan.PromotionRequest;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;

/**
 * A process of its own that promotes a copy, and may die at an operation on it: {@link #main} is
 * what it does, the rest starts it.
 */
final class PromotionProcess {
  private PromotionProcess() {}

  /** Dies at this operation, unless it is over before: {@link FaultPlan#KILLED} or 0. */
  static int killed(
      Path host, Path copy, String loss, long operation, When when, List<String> classes)
      throws Exception {
    return SmallJvm.statusOf(
        SmallJvm.of(
            host.resolveSibling(host.getFileName() + "-tmp"),
            classes,
            PromotionProcess.class,
            host.toString(),
            copy.toString(),
            loss,
            Long.toString(operation),
            when.name()));
  }

  /** As the administrator of a machine, who remembers what it saw, and accepts what is lost. */
  static void promote(Path host, BackupSink copy, String loss) throws IOException {
    WriterKeyFile keys = WriterKeyFile.at(host.resolve("writer.key")).named("host-a");
    try (BackupRepository repository =
        BackupRepository.at(copy)
            .trust(Trust.owner(keys.id()))
            .signedBy(keys)
            .workspace(host.resolve("workspace"))
            .executor(Runnable::run)
            .open()) {
      PromotionPlan plan = repository.planPromotion(PromotionRequest.ofWhole().acceptingLoss(loss));
      repository.promote(plan, Confirmation.of(plan.digest()));
    }
  }

  /** Directory of the host, the copy, what is said of losses, where to die and when. */
  public static void main(String[] arguments) throws IOException {
    FaultPlan faults = FaultPlan.killing(Long.parseLong(arguments[3]), When.valueOf(arguments[4]));
    BackupSink copy = faults.on(DirectorySink.at(Path.of(arguments[1])));
    promote(Path.of(arguments[0]), copy, arguments[2]);
  }
}
