package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;

/**
 * A process of its own that backs up into a directory: {@link #main} is what it does, the rest
 * starts it. It says {@code ready} and begins when it is told to.
 */
final class EngineProcess implements AutoCloseable {
  /** Stands in the content of every source here, and must stand nowhere else. */
  static final String CANARY = "c4n4ry-of-the-database-password";

  private final Process process;
  private final BufferedReader output;

  private EngineProcess(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** What one process does. */
  record Task(long content, String name, int runs, FaultPlan faults, String arguments) {
    static Task killed(long content, String name, long operation, When when) {
      return new Task(
          content,
          name,
          1,
          FaultPlan.killing(operation, when),
          "%d %s 1 %d %s".formatted(content, name, operation, when));
    }

    static Task whole(long content, String name, int runs) {
      return new Task(
          content, name, runs, FaultPlan.none(), "%d %s %d".formatted(content, name, runs));
    }

    static Task parse(List<String> words) {
      long content = Long.parseLong(words.get(0));
      return words.size() > 3
          ? killed(content, words.get(1), Long.parseLong(words.get(3)), When.valueOf(words.get(4)))
          : whole(content, words.get(1), Integer.parseInt(words.get(2)));
    }
  }

  /** Where the processes of a host write to. */
  static Path repository(Path host) {
    return host.resolve("repository");
  }

  /** Where they put temporary files. */
  static Path temporary(Path host) {
    return host.resolve("tmp");
  }

  /** Some bytes that do not compress, with the canary among them; half are the same for all. */
  static BytesSource content(long seed) {
    return new BytesSource("config")
        .form(Form.CONTENT.remembered())
        .with("same", withCanary(Fixture.random(7, 20_000)))
        .with("different", withCanary(Fixture.random(seed, 20_000)));
  }

  private static byte[] withCanary(byte[] bytes) {
    byte[] canary = CANARY.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(canary, 0, bytes, bytes.length / 2, canary.length);
    return bytes;
  }

  /**
   * Starts a process for a host whose directory has writer keys.
   *
   * @param classes options that say where they are
   */
  static EngineProcess start(Host host, Task task, List<String> classes) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(host.directory.toString(), host.owner.text()));
    arguments.addAll(List.of(task.arguments().split(" ")));
    return new EngineProcess(
        SmallJvm.of(
                temporary(host.directory),
                classes,
                EngineProcess.class,
                arguments.toArray(String[]::new))
            .start());
  }

  /** Waits until it is about to open its engine. */
  EngineProcess awaitReady() throws IOException {
    assertEquals("ready", output.readLine());
    return this;
  }

  /** Lets it begin. */
  void go() throws IOException {
    process.getOutputStream().write('\n');
    process.getOutputStream().flush();
  }

  /** How it ended: 0, or {@link FaultPlan#KILLED}. */
  int await() throws InterruptedException {
    return process.waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  /** Directory of the host, recipient, and the words of a task. */
  public static void main(String[] arguments) throws IOException {
    List<String> words = List.of(arguments);
    Path directory = Path.of(words.get(0));
    Task task = Task.parse(words.subList(2, words.size()));
    var host =
        new Host(
            directory, AgeRecipient.parse(words.get(1)), DirectorySink.at(repository(directory)));
    System.out.println("ready");
    System.in.read();
    try (BackupEngine engine =
        host.with(content(task.content()), task.faults().on(host.sink)).open()) {
      for (int run = 1; run <= task.runs(); run++) {
        engine.backup(
            BackupRequest.full()
                .named(task.name() + (task.runs() == 1 ? "" : "-" + run))
                .besideOthers());
      }
    }
  }
}
