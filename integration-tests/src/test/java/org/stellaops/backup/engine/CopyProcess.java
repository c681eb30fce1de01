package org.stellaops.backup.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;

/**
 * A process of its own that copies one directory to another, several objects at a time, and may die
 * at an operation on the target: {@link #main} is what it does, the rest starts it.
 */
final class CopyProcess {
  private static final long NEVER = Long.MAX_VALUE;

  private CopyProcess() {}

  /** Copies to the end; how it ended. */
  static int whole(Path from, Path to, List<String> classes) throws Exception {
    return run(from, to, NEVER, When.BEFORE, classes);
  }

  /** Dies at this operation, unless it is over before: {@link FaultPlan#KILLED} or 0. */
  static int killed(Path from, Path to, long operation, When when, List<String> classes)
      throws Exception {
    return run(from, to, operation, when, classes);
  }

  private static int run(Path from, Path to, long operation, When when, List<String> classes)
      throws Exception {
    return SmallJvm.statusOf(
        SmallJvm.of(
            to.resolveSibling(to.getFileName() + "-tmp"),
            classes,
            CopyProcess.class,
            from.toString(),
            to.toString(),
            Long.toString(operation),
            when.name()));
  }

  /** From where, where to, where to die and when. */
  public static void main(String[] arguments) throws IOException {
    FaultPlan faults = FaultPlan.killing(Long.parseLong(arguments[2]), When.valueOf(arguments[3]));
    DirectorySink target = DirectorySink.at(Path.of(arguments[1]));
    try (BackupRepository repository =
        BackupRepository.at(DirectorySink.at(Path.of(arguments[0]))).open()) {
      repository.copy(CopyRequest.to(faults.on(target))).requireComplete();
    }
  }
}
