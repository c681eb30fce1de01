package org.stellaops.backup.engine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.TargetDescription;

/**
 * Backs up, restores, copies and checks a stream that nobody could hold in memory, and prints the
 * most memory the process has had. A program of its own; with 0 MiB it only opens the engine.
 */
final class MemoryProbe {
  private static final ArtifactName STREAM = ArtifactName.of("stream");
  private static final int BLOCK_BYTES = 1 << 20;

  private MemoryProbe() {}

  public static void main(String[] arguments) throws IOException {
    Path directory = Files.createDirectories(Path.of(arguments[0], "probe-" + arguments[1]));
    long blocks = Long.parseLong(arguments[1]);
    try (AgeIdentity owner = AgeIdentity.generate()) {
      BackupPlan plan =
          BackupPlan.named("memory")
              .source("stream", new Stream(blocks))
              .encryptTo(owner.recipient())
              .writer(WriterKeyFile.at(directory.resolve("writer.key")))
              .sink(DirectorySink.at(directory.resolve("repository")))
              .build();
      try (BackupEngine engine = BackupEngine.open(plan)) {
        engine.preflight(BackupRequest.full());
        if (blocks > 0) {
          long began = System.nanoTime();
          BackupReport report = engine.backup(BackupRequest.full());
          say("backup-millis", (System.nanoTime() - began) / 1_000_000);
          say("plain-bytes", report.plainBytes());
          say("new-bytes", report.newBytes());
          began = System.nanoTime();
          Comparing target = new Comparing(blocks);
          RestorePlan restore =
              engine.planRestore(
                  RestoreRequest.of(report.snapshot()).with(owner).target("stream", target));
          engine.restore(restore, Confirmation.of(restore.digest()));
          say("restore-millis", (System.nanoTime() - began) / 1_000_000);
          say("compared-bytes", target.published);
          say("copied-bytes", copied(engine, directory.resolve("copy")));
          say("checked-bytes", checked(engine, owner));
        }
      }
    }
    say("peak-rss-bytes", peakBytes());
  }

  private static long copied(BackupEngine engine, Path directory) throws IOException {
    return engine.copy(CopyRequest.to(DirectorySink.at(directory))).requireComplete().sentBytes();
  }

  private static long checked(BackupEngine engine, AgeIdentity owner) throws IOException {
    RepositoryReport report = engine.check(Verification.full(owner));
    if (!report.isIntact()) {
      throw new IOException(report.toString());
    }
    return report.bytes();
  }

  private static void say(String what, long number) {
    System.out.println(what + " " + number);
  }

  /** VmHWM, "peak resident set size" (proc(5)). */
  private static long peakBytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
      }
    }
    throw new IOException("no VmHWM in /proc/self/status");
  }

  /** Every other block is noise; those between compress. No two are alike. */
  static byte[] block(long number) {
    byte[] block = new byte[BLOCK_BYTES];
    Random random = new Random(20261120 + number);
    if (number % 2 == 0) {
      random.nextBytes(block);
      return block;
    }
    byte[] line =
        "%016x the quick brown fox jumps over the lazy dog %d%n"
            .formatted(random.nextLong(), number)
            .getBytes(StandardCharsets.US_ASCII);
    for (int at = 0; at < block.length; at += line.length) {
      System.arraycopy(line, 0, block, at, Math.min(line.length, block.length - at));
      block[at] = (byte) random.nextInt();
    }
    return block;
  }

  private record Stream(long blocks) implements BackupSource {
    @Override
    public SourceDescription describe() {
      return SourceDescription.of("stream/1", Component.of("database"), Stage.DATABASE);
    }

    @Override
    public void check(Checks checks) {}

    @Override
    public void capture(CaptureSession session) throws IOException {
      session.artifact(
          STREAM,
          Form.CONTENT,
          out -> {
            for (long i = 0; i < blocks; i++) {
              out.write(block(i));
            }
          });
      session.captured(InventoryItem.of("blocks", blocks, blocks * BLOCK_BYTES));
    }
  }

  /** Keeps nothing: compares what it is given with what was captured. */
  private static final class Comparing implements RestoreTarget {
    private final long blocks;
    private long staged;
    private long published;

    Comparing(long blocks) {
      this.blocks = blocks;
    }

    @Override
    public TargetDescription describe() {
      return new TargetDescription("nowhere", Map.of());
    }

    @Override
    public boolean accepts(SourceKind kind) {
      return kind.value().equals("stream/1");
    }

    @Override
    public void plan(RestorePlanning planning) {
      planning.undo(RestorePlanning.Undo.REMOVE);
    }

    @Override
    public void stage(RestoreSession session) throws IOException {
      for (CapturedSource source : session.chain()) {
        try (InputStream in = session.open(source, STREAM)) {
          for (long i = 0; i < blocks; i++) {
            if (!Arrays.equals(block(i), in.readNBytes(BLOCK_BYTES))) {
              throw new IOException("block %d is not what was captured".formatted(i));
            }
            staged += BLOCK_BYTES;
          }
          if (in.read() >= 0) {
            throw new IOException("more came back than was captured");
          }
        }
      }
    }

    @Override
    public void publish(RestoreSession session) {
      published = staged;
    }

    @Override
    public void rollBack(RestoreSession session) {
      staged = 0;
    }
  }
}
