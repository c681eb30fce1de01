package org.stellaops.backup.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.stellaops.backup.engine.AdministeredSite.Deed;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;

/**
 * A process of its own that administers a site: {@link #main} is what it does, the rest starts it.
 * It waits before one operation on its store until it is told to go on, and may die at another.
 */
final class AdministrationProcess implements AutoCloseable {
  private static final String WAITING = "waiting";
  private static final long NEVER = Long.MAX_VALUE;

  private final Process process;
  private final BufferedReader output;

  private AdministrationProcess(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** One that dies at this operation. */
  static AdministrationProcess killed(
      AdministeredSite site, Deed deed, long waitAt, long killAt, When when, List<String> classes)
      throws IOException {
    return start(site, deed, waitAt, killAt, when, classes);
  }

  /** One that nobody kills. */
  static AdministrationProcess whole(
      AdministeredSite site, Deed deed, long waitAt, List<String> classes) throws IOException {
    return start(site, deed, waitAt, NEVER, When.BEFORE, classes);
  }

  private static AdministrationProcess start(
      AdministeredSite site, Deed deed, long waitAt, long killAt, When when, List<String> classes)
      throws IOException {
    return new AdministrationProcess(
        SmallJvm.of(
                EngineProcess.temporary(site.directory),
                classes,
                AdministrationProcess.class,
                site.directory.toString(),
                deed.name(),
                Long.toString(waitAt),
                Long.toString(killAt),
                when.name())
            .start());
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

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }

  /** Directory of the site, deed, where to wait, where to die and when. */
  public static void main(String[] arguments) throws IOException {
    AdministeredSite site = new AdministeredSite(Path.of(arguments[0]));
    long waitAt = Long.parseLong(arguments[2]);
    FaultPlan faults = FaultPlan.killing(Long.parseLong(arguments[3]), When.valueOf(arguments[4]));
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
    Deed.valueOf(arguments[1]).run(site, through);
  }
}
