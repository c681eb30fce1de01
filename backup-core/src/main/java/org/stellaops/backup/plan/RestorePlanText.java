package org.stellaops.backup.plan;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.plan.RestorePlan.Part;
import org.stellaops.backup.spi.RestorePlanning.Undo;

/**
 * A restore plan as whoever has to consent to it wants to read it: what goes where, and over what.
 */
final class RestorePlanText {
  private static final DateTimeFormatter UTC =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);
  private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB"};

  private final RestorePlan plan;
  private final List<String> lines = new ArrayList<>();

  RestorePlanText(RestorePlan plan) {
    this.plan = plan;
  }

  /** Lines without a line feed at the end. */
  String write() {
    head(plan.summary());
    table();
    plan.parts().forEach(this::details);
    plan.blockers().forEach(this::blocker);
    lines.add("");
    lines.add("digest " + plan.digest());
    return String.join("\n", lines);
  }

  private void head(SnapshotSummary snapshot) {
    lines.add("restore of snapshot %s (%s)".formatted(snapshot.name(), snapshot.id()));
    plan.request().point().ifPresent(p -> lines.add("and replay of what followed, up to " + p));
    lines.add(
        "taken %s, %s, in the log %s, %s"
            .formatted(
                time(snapshot.time()),
                snapshot.outcome(),
                snapshot.writer(),
                snapshot.isAuthenticated()
                    ? "signed by a pinned key"
                    : "NOT signed by a pinned key"));
  }

  private void table() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("source", "kind", "captured", "size", "target"));
    for (Part part : plan.parts()) {
      CaptureHeader captured = part.captured();
      rows.add(
          List.of(
              captured.source().value(),
              captured.kind().value(),
              time(captured.time()),
              size(captured.plainBytes()),
              part.target().location()));
    }
    lines.add("");
    rows.forEach(row -> lines.add(line(row, rows)));
  }

  /** The last column may be as wide as it is. */
  private static String line(List<String> row, List<List<String>> rows) {
    StringBuilder line = new StringBuilder("  ");
    for (int column = 0; column < row.size() - 1; column++) {
      int at = column;
      int width = rows.stream().mapToInt(r -> r.get(at).length()).max().orElse(0);
      String cell = row.get(column);
      line.append(cell).append(" ".repeat(width - cell.length() + 2));
    }
    return line.append(row.get(row.size() - 1)).toString();
  }

  private void details(Part part) {
    lines.add("");
    lines.add("  " + part.captured().source());
    part.state().ifPresent(s -> lines.add("    now: " + s.description()));
    part.steps().forEach(s -> lines.add("    will " + s));
    if (part.overwrites().isEmpty()) {
      lines.add("    replaces nothing");
    }
    part.overwrites().forEach(o -> lines.add("    replaces " + o));
    lines.add("    " + undo(part.undo()));
    part.advice().forEach((what, how) -> lines.add("    afterwards: %s: %s".formatted(what, how)));
  }

  private static String undo(Undo undo) {
    return switch (undo) {
      case SWAP_BACK -> "if it fails, what is there now is put back";
      case REMOVE -> "if it fails, what was written is removed";
      case IMPOSSIBLE -> "if it fails, it CANNOT be taken back";
    };
  }

  private void blocker(Finding blocker) {
    lines.add("");
    lines.add("  BLOCKED " + blocker);
    lines.add("    next step: " + blocker.code().remedy());
  }

  private static String time(Instant time) {
    return UTC.format(time);
  }

  /** {@code 12.3 MB}, in powers of 1000. */
  private static String size(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 999.5 && unit < UNITS.length - 1) {
      value /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
  }
}
