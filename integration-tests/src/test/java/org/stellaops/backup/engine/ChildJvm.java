package org.stellaops.backup.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a main class in a JVM of its own and hands back what it prints. */
final class ChildJvm {
  private static final long MINUTES = 20;

  private ChildJvm() {}

  static List<String> run(Path directory, String heap, Class<?> main, String... arguments)
      throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(heap);
    command.addAll(
        List.of(
            "-cp", System.getProperty("java.class.path"), main.getName(), directory.toString()));
    command.addAll(List.of(arguments));
    Path output = directory.resolve(main.getSimpleName() + ".out");
    // a newer JVM warns there of libraries with native code
    Path errors = directory.resolve(main.getSimpleName() + ".err");
    Process child =
        new ProcessBuilder(command)
            .redirectError(errors.toFile())
            .redirectOutput(output.toFile())
            .start();
    if (!child.waitFor(MINUTES, TimeUnit.MINUTES)) {
      child.destroyForcibly();
      throw new AssertionError(
          "the child hangs: " + Files.readString(output) + Files.readString(errors));
    }
    if (child.exitValue() != 0) {
      throw new AssertionError(
          "the child ended with %d: %s%s"
              .formatted(child.exitValue(), Files.readString(output), Files.readString(errors)));
    }
    return Files.readAllLines(output);
  }
}
