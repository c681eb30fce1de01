package org.stellaops.backup.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What a {@link Service} does: one order after the other, from its standard input. */
final class Orders {
  private Orders() {}

  /** Does one. */
  @FunctionalInterface
  interface Doing {
    void run(List<String> order) throws Exception;
  }

  /**
   * One order a line, its words separated by tabs; answers with wall and CPU seconds, and the most
   * memory that was resident meanwhile, in bytes.
   */
  static void serve(Doing doing) throws Exception {
    var system =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    var orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String order = orders.readLine(); order != null; order = orders.readLine()) {
      forgetPeak();
      long wall = System.nanoTime();
      long cpu = system.getProcessCpuTime();
      doing.run(List.of(order.split("\t", -1)));
      double wallSeconds = (System.nanoTime() - wall) / 1e9;
      double cpuSeconds = (system.getProcessCpuTime() - cpu) / 1e9;
      System.out.println(
          wallSeconds + " " + cpuSeconds + " " + Command.peakBytes(ProcessHandle.current().pid()));
    }
  }

  /** See {@code /proc/PID/clear_refs} in proc(5). */
  private static void forgetPeak() throws IOException {
    Files.writeString(Path.of("/proc/self/clear_refs"), "5");
  }
}
