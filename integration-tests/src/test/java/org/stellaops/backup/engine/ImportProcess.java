package org.stellaops.backup.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.stellaops.backup.BundleImport;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.Trust;

/** A process of its own that imports a bundle, and halts before it stores the first pack. */
final class ImportProcess implements AutoCloseable {
  private static final String WAITING = "waiting";

  private final Process process;
  private final BufferedReader output;

  private ImportProcess(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Returns when it halts in the middle. */
  static ImportProcess halted(Path bundle, Path copy, Path quarantine, Path signers)
      throws IOException {
    ImportProcess importing =
        new ImportProcess(
            SmallJvm.of(
                    quarantine.resolveSibling("importing-tmp"),
                    SmallJvm.ownClasses(),
                    ImportProcess.class,
                    bundle.toString(),
                    copy.toString(),
                    quarantine.toString(),
                    signers.toString())
                .start());
    String said = importing.output.readLine();
    if (!WAITING.equals(said)) {
      importing.close();
      throw new AssertionError("the import did not come to a pack: " + said);
    }
    return importing;
  }

  boolean isRunning() {
    return process.isAlive();
  }

  /** Ends it with SIGKILL, as a power cut does. */
  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }

  /** What the process does. */
  public static void main(String[] arguments) throws Exception {
    BundleImport.of(
            OfflineBundle.at(Path.of(arguments[0])),
            HookedStore.on(DirectorySink.at(Path.of(arguments[1])), ImportProcess::halt),
            Path.of(arguments[2]),
            Trust.allowedSigners(Files.readString(Path.of(arguments[3]))))
        .execute();
  }

  private static void halt(String operation) throws IOException {
    if (operation.startsWith("put w/host-a/packs/")) {
      System.out.println(WAITING);
      System.out.flush();
      try {
        TimeUnit.DAYS.sleep(1);
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }
  }
}
