package org.stellaops.backup.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;

/**
 * A process of its own that rebuilds the index of a site: {@link #main} is what it does, the rest
 * starts it. It waits before one operation on its store until it is told to go on, and may die at
 * another.
 */
final class RebuildProcess implements AutoCloseable {
  private static final String WAITING = "waiting";
  private static final long NEVER = Long.MAX_VALUE;

  private final Process process;
  private final BufferedReader output;

  private RebuildProcess(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** One that dies at this operation. */
  static RebuildProcess killed(
      LostIndexSite site, long waitAt, long killAt, When when, List<String> classes)
      throws IOException {
    return new RebuildProcess(
        SmallJvm.of(
                EngineProcess.temporary(site.directory),
                classes,
                RebuildProcess.class,
                site.directory.toString(),
                Long.toString(waitAt),
                Long.toString(killAt),
                when.name())
            .start());
  }

  /** One that does not die by itself. */
  static RebuildProcess whole(LostIndexSite site, long waitAt, List<String> classes)
      throws IOException {
    return killed(site, waitAt, NEVER, When.BEFORE, classes);
  }

  /** Whether it waits now; else it is over without having come so far. */
  boolean awaitWaiting() throws IOException {
    return WAITING.equals(output.readLine());
  }

  /** Lets it go on. */
  void go() throws IOException {
    process.getOutputStream().write('\n');
    process.getOutputStream().flush();
  }

  /** How it ended: 0, or {@link FaultPlan#KILLED}. */
  int await() throws InterruptedException {
    return process.waitFor();
  }

  /** Kills it where it is; whether it was alive. */
  boolean kill() throws InterruptedException {
    return process.destroyForcibly().waitFor() == FaultPlan.KILLED;
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }

  /** Directory of the site, where to wait, where to die and when. */
  public static void main(String[] arguments) throws IOException {
    LostIndexSite site = new LostIndexSite(Path.of(arguments[0]));
    long waitAt = Long.parseLong(arguments[1]);
    FaultPlan faults = FaultPlan.killing(Long.parseLong(arguments[2]), When.valueOf(arguments[3]));
    AtomicLong operations = new AtomicLong();
    BackupSink through =
        HookedStore.on(
            faults.on(site.sink),
            operation -> {
              if (operations.getAndIncrement() == waitAt) {
                System.out.println(WAITING);
                System.in.read();
              }
            });
    site.rebuild(through);
  }
}
