package org.stellaops.backup.retention;

import java.time.temporal.ChronoUnit;

/** A preview as it is shown before consent. */
final class PreviewText {
  private PreviewText() {}

  static String of(PrunePreview preview) {
    StringBuilder text = new StringBuilder();
    text.append(
        "prune as of %s: %d kept, %d released, at most %d bytes freed\n"
            .formatted(
                preview.asOf(),
                preview.kept().size(),
                preview.released().size(),
                preview.releasedBytes()));
    preview.blockers().forEach(b -> text.append("blocked: ").append(b).append('\n'));
    preview.rows().forEach(row -> text.append(line(row)));
    return text.append("digest ").append(preview.digest()).toString();
  }

  private static String line(PrunePreview.Row row) {
    return "  %-7s  %s  %-8s  %s/%d  %s  %s  %d bytes  %s\n"
        .formatted(
            row.isKept() ? "keep" : "release",
            row.capture().time().truncatedTo(ChronoUnit.SECONDS),
            row.capture().outcome(),
            row.log(),
            row.sequence(),
            row.name(),
            row.component() + "/" + row.source(),
            row.storedBytes(),
            String.join("; ", row.reasons()));
  }
}
