package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Slot;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RunSettings;
import org.stellaops.backup.spi.BackupSource;

/**
 * One of several instances of a service, in a process of its own, that run the slots of one plan:
 * {@link #main} is what it does, the rest starts it, kills it, and stops and continues it.
 */
final class SlotProcess implements AutoCloseable {
  /** Short for who waits until it is over, and long for a process that is held up. */
  private static final Duration LEASE = Duration.ofSeconds(3);

  private static final Instant FIRST = Instant.parse("2026-11-20T02:00:00Z");

  private final Process process;
  private final BufferedReader output;

  private SlotProcess(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Each a day later. */
  static Slot slot(int number) {
    return Slot.at(FIRST.plus(Duration.ofDays(number)));
  }

  static BytesSource content(int number) {
    return new BytesSource("config").with("one", Fixture.random(number, 2_000));
  }

  /** An engine of a host, of this name. */
  static BackupEngine engine(Host host, String instance, BackupSource source)
      throws BackupException {
    return engine(host, instance, source, RunSettings.defaults().lease(LEASE));
  }

  private static BackupEngine engine(
      Host host, String instance, BackupSource source, RunSettings runs) throws BackupException {
    return host.with(host.plan(host.sink).source(Host.SOURCE, source).runs(runs).build())
        .instance(instance)
        .open();
  }

  /** Runs every slot that nobody has. */
  static SlotProcess racing(Host host, String instance, int slots, List<String> classes)
      throws IOException {
    return start(host, instance, classes, "race", slots);
  }

  /** Runs one slot; says {@code capturing} within, and goes on when it is told to. */
  static SlotProcess waiting(Host host, String instance, int slot, List<String> classes)
      throws IOException {
    return start(host, instance, classes, "wait", slot);
  }

  private static SlotProcess start(
      Host host, String instance, List<String> classes, String task, int number)
      throws IOException {
    return new SlotProcess(
        SmallJvm.of(
                EngineProcess.temporary(host.directory),
                classes,
                SlotProcess.class,
                host.directory.toString(),
                host.owner.text(),
                instance,
                task,
                Integer.toString(number))
            .start());
  }

  /** Directory of the host, recipient, instance, task, slots. */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    Host host =
        new Host(
            directory,
            AgeRecipient.parse(arguments[1]),
            DirectorySink.at(EngineProcess.repository(directory)));
    int number = Integer.parseInt(arguments[4]);
    boolean isRacing = arguments[3].equals("race");
    System.out.println("ready");
    System.in.read();
    try (BackupEngine engine =
        isRacing
            ? engine(host, arguments[2], content(number), RunSettings.defaults())
            : engine(host, arguments[2], waitingSource(number))) {
      for (int slot = isRacing ? 0 : number; slot < number + (isRacing ? 0 : 1); slot++) {
        System.out.println(run(engine, slot) + (isRacing ? " " + slot : ""));
      }
    }
  }

  private static BackupSource waitingSource(int number) {
    return ScriptedSource.capturing(
        session -> {
          System.out.println("capturing");
          System.in.read();
          content(number).capture(session);
        });
  }

  private static String run(BackupEngine engine, int slot) {
    try {
      return engine.run(slot(slot), BackupRequest.full().besideOthers()).isPresent()
          ? "ran"
          : "taken";
    } catch (BackupException e) {
      return e.code().code();
    }
  }

  SlotProcess awaitLine(String expected) throws IOException {
    assertEquals(expected, output.readLine());
    return this;
  }

  /** Lets it begin, or go on. */
  SlotProcess go() throws IOException {
    process.getOutputStream().write('\n');
    process.getOutputStream().flush();
    return this;
  }

  /** Everything that it still says, until it ends. */
  List<String> rest() throws Exception {
    List<String> lines = output.lines().toList();
    assertEquals(0, process.waitFor());
    return lines;
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** Sends {@code STOP} or {@code CONT}. */
  void signal(String name) throws Exception {
    Process kill =
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).inheritIO().start();
    assertEquals(true, kill.waitFor(10, TimeUnit.SECONDS));
    assertEquals(0, kill.exitValue());
  }

  @Override
  public void close() {
    kill();
  }
}
