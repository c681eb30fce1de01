package org.stellaops.backup.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/** Runs a program to its end and measures it from outside: wall and CPU seconds. */
final class Command {
  private Command() {}

  /**
   * What a run took.
   *
   * @param wallSeconds from start to end
   * @param cpuSeconds of the process and its children, user and system
   */
  record Took(double wallSeconds, double cpuSeconds) {}

  /**
   * What a run took, and how much memory at its worst.
   *
   * @param peakBytes most that a process of the run had resident ({@code VmHWM})
   */
  record Peak(Took took, long peakBytes) {
    double peakMebibytes() {
      return peakBytes / 1048576.0;
    }
  }

  /** Also watches the memory, every few milliseconds, which the system itself keeps the most of. */
  static Peak runWatched(Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    AtomicLong most = new AtomicLong();
    Set<ProcessHandle> others = ProcessHandle.current().descendants().collect(Collectors.toSet());
    Thread watcher = new Thread(() -> watch(most, others), "memory");
    watcher.setDaemon(true);
    watcher.start();
    try {
      return new Peak(run(environment, command), most.get());
    } finally {
      watcher.interrupt();
      watcher.join();
    }
  }

  private static void watch(AtomicLong most, Set<ProcessHandle> others) {
    try {
      while (true) {
        ProcessHandle.current()
            .descendants()
            .filter(p -> !others.contains(p))
            .forEach(p -> most.accumulateAndGet(peakBytes(p.pid()), Math::max));
        Thread.sleep(20);
      }
    } catch (InterruptedException e) {
      // The run is over.
    }
  }

  /** The most that it had resident; 0 where the process has ended. */
  static long peakBytes(long pid) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
        if (line.startsWith("VmHWM:")) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
        }
      }
    } catch (IOException e) {
      // It has just ended.
    }
    return 0;
  }

  static Took run(Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    Path times = Files.createTempFile("stella-", ".time");
    List<String> timed = new ArrayList<>(List.of("bash", "-c"));
    timed.add("TIMEFORMAT='%R %U %S'; { time \"$@\" >/dev/null 2>" + times + ".err ; } 2>" + times);
    timed.add("bash");
    timed.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(timed).redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    // Whoever measures may have an account with a cloud.
    builder.environment().keySet().removeIf(name -> name.startsWith("AWS_"));
    builder.environment().putAll(environment);
    int code = builder.start().waitFor();
    String said = Files.readString(times, StandardCharsets.US_ASCII).strip();
    Path error = Path.of(times + ".err");
    if (code != 0) {
      throw new IOException(
          "%s ended with %d: %s"
              .formatted(String.join(" ", command), code, Files.readString(error)));
    }
    Files.deleteIfExists(times);
    Files.deleteIfExists(error);
    String[] words = said.substring(said.lastIndexOf('\n') + 1).split(" ", -1);
    return new Took(
        Double.parseDouble(words[0]), Double.parseDouble(words[1]) + Double.parseDouble(words[2]));
  }

  /** This program's own classes in another JVM. */
  static List<String> java(Class<?> main, List<String> arguments) {
    return java("512m", main, arguments);
  }

  /** With so much heap at most. */
  static List<String> java(String heap, Class<?> main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
    command.add("-Xmx" + heap);
    command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    command.add("-XX:+UseParallelGC");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    return command;
  }
}
