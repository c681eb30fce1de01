package org.stellaops.backup.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
    Path temporary = Files.createDirectories(to.resolveSibling(to.getFileName() + "-tmp"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx96m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.add("-Djava.io.tmpdir=" + temporary);
    command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=off");
    command.addAll(classes);
    command.add(CopyProcess.class.getName());
    command.addAll(List.of(from.toString(), to.toString(), Long.toString(operation), when.name()));
    Process process =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      return process.waitFor();
    } finally {
      process.destroyForcibly();
    }
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
