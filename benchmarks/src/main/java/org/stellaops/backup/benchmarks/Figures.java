package org.stellaops.backup.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Figures of several rounds; medians are quoted, since the machines are noisy. */
final class Figures {
  private final Map<String, List<Double>> figures = new LinkedHashMap<>();

  void add(String name, double value) {
    figures.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
  }

  void add(String name, Command.Took took) {
    add(name + " wall s", took.wallSeconds());
    add(name + " cpu s", took.cpuSeconds());
  }

  double median(String name) {
    List<Double> sorted = new ArrayList<>(figures.getOrDefault(name, List.of()));
    sorted.sort(null);
    return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() / 2);
  }

  void print() {
    figures.forEach(
        (name, values) ->
            System.out.printf(
                "  %-44s median %10.2f   min %10.2f   max %10.2f   n %d%n",
                name,
                median(name),
                values.stream().mapToDouble(v -> v).min().orElse(Double.NaN),
                values.stream().mapToDouble(v -> v).max().orElse(Double.NaN),
                values.size()));
  }

  void ratio(String ours, String theirs) {
    System.out.printf("  %-44s / %-44s = %.2f%n", ours, theirs, median(ours) / median(theirs));
  }
}
