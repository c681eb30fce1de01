package org.stellaops.backup.retention;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.stellaops.backup.model.SourceName;

/**
 * What rules would keep over the years.
 *
 * @param steps one per source and month, in order of time and source
 */
public record RetentionForecast(List<Step> steps) {
  public RetentionForecast {
    steps = List.copyOf(steps);
  }

  /**
   * What is there of a source after a prune.
   *
   * @param at when
   * @param source of which source
   * @param captures how many are kept, whatever their outcome
   * @param good how many of them are good
   * @param bytes what they store
   * @param oldest when the oldest good one was taken
   * @param newest when the newest good one was taken
   */
  public record Step(
      Instant at,
      SourceName source,
      int captures,
      int good,
      long bytes,
      Optional<Instant> oldest,
      Optional<Instant> newest) {}

  /** Most bytes that are stored at the end of any step, all sources together. */
  public long peakBytes() {
    return steps.stream()
        .mapToLong(
            s -> steps.stream().filter(o -> o.at().equals(s.at())).mapToLong(Step::bytes).sum())
        .max()
        .orElse(0);
  }

  /** A table for humans. */
  public String toTable() {
    StringBuilder text = new StringBuilder();
    row(text, "date", "source", "captures", "good", "bytes", "oldest good", "newest good");
    for (Step s : steps) {
      row(
          text,
          s.at().toString().substring(0, 10),
          s.source().value(),
          Integer.toString(s.captures()),
          Integer.toString(s.good()),
          Long.toString(s.bytes()),
          minute(s.oldest()),
          minute(s.newest()));
    }
    return text.toString();
  }

  private static void row(StringBuilder text, Object... cells) {
    text.append(String.format(Locale.ROOT, "%-10s  %-16s  %8s  %6s  %15s  %-16s  %s\n", cells));
  }

  private static String minute(Optional<Instant> time) {
    return time.map(t -> t.truncatedTo(ChronoUnit.MINUTES).toString().substring(0, 16)).orElse("-");
  }

  /**
   * Comma-separated values with a line of names; instants in ISO 8601, empty where there is none.
   */
  public String toCsv() {
    StringBuilder text =
        new StringBuilder("at,source,captures,good,bytes,oldest_good,newest_good\n");
    for (Step s : steps) {
      text.append(
          String.join(
              ",",
              s.at().toString(),
              s.source().value(),
              Integer.toString(s.captures()),
              Integer.toString(s.good()),
              Long.toString(s.bytes()),
              s.oldest().map(Instant::toString).orElse(""),
              s.newest().map(Instant::toString).orElse("")));
      text.append('\n');
    }
    return text.toString();
  }
}
