package org.stellaops.backup.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** JVMs of their own for main classes of these tests: quick to start, and small. */
final class SmallJvm {
  private SmallJvm() {}

  /**
   * The classes of this process, as it has them itself; quicker to load are {@link
   * PackedClassPath}s.
   */
  static List<String> ownClasses() {
    return List.of("-cp", System.getProperty("java.class.path"));
  }

  /**
   * How to start one; what goes wrong in it is printed where this process prints it.
   *
   * @param temporary for its temporary files; made if it is not there
   * @param classes options that say where they are
   */
  static ProcessBuilder of(Path temporary, List<String> classes, Class<?> main, String... arguments)
      throws IOException {
    Files.createDirectories(temporary);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx96m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.add("-Djava.io.tmpdir=" + temporary);
    command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=off");
    command.addAll(classes);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
  }

  /** Waits for one, of which only the status counts. */
  static int statusOf(ProcessBuilder jvm) throws IOException, InterruptedException {
    Process process = jvm.redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    try {
      return process.waitFor();
    } finally {
      process.destroyForcibly();
    }
  }
}
