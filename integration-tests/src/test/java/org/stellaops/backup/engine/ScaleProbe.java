package org.stellaops.backup.engine;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.retention.PrunePreview;
import org.stellaops.backup.retention.Retention;
import org.stellaops.backup.retention.RetentionRules;

/**
 * Lists the snapshots of a {@link SyntheticRepository} or previews a prune of it, and prints how
 * long that took and the most memory the process has had. A program of its own, so that nothing is
 * warm but what is on disk.
 */
final class ScaleProbe {
  private ScaleProbe() {}

  /**
   * @param arguments the directory, {@code list} or {@code preview}, and the name of a workspace;
   *     or {@code make}, and how many snapshots and packs each writer has
   */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    if (arguments[1].equals("make")) {
      SyntheticRepository.create(
          directory,
          new SyntheticRepository.Scale(
              10, Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]), 16));
      return;
    }
    SyntheticRepository repository =
        SyntheticRepository.at(directory, SyntheticRepository.Scale.dividedBy(1));
    Path workspace = directory.resolve(arguments[2]);
    for (int round = 0; round < 2; round++) {
      long began = System.nanoTime();
      long cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
      int rows =
          arguments[1].equals("list")
              ? list(repository, workspace).size()
              : preview(repository, workspace).rows().size();
      say(round == 0 ? "millis" : "again-millis", (System.nanoTime() - began) / 1_000_000);
      cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpu;
      say(round == 0 ? "cpu-millis" : "again-cpu-millis", cpu / 1_000_000);
      say(round == 0 ? "rows" : "again-rows", rows);
    }
    say("peak-rss-bytes", peakBytes());
  }

  static List<SnapshotSummary> list(SyntheticRepository repository, Path workspace)
      throws IOException {
    try (BackupRepository opened =
        BackupRepository.at(repository.sink())
            .trust(repository.trust())
            .workspace(workspace)
            .open()) {
      return opened.catalog().list(SnapshotFilter.all());
    }
  }

  static PrunePreview preview(SyntheticRepository repository, Path workspace) throws IOException {
    InstantSource later =
        () -> SyntheticRepository.BEGAN.plus(Duration.ofHours(12).multipliedBy(1001));
    try (Janitor janitor =
        Janitor.at(repository.sink())
            .keys(repository.keys("janitor"))
            .trust(repository.trust())
            .retain(RetentionRules.of(Retention.daily(30)))
            .clock(later)
            .workspace(workspace)
            .open()) {
      return janitor.planPrune();
    }
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
}
