package org.stellaops.backup.examples.quickstart;

import java.io.PrintStream;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.spi.BackupListener;

/**
 * Shows how far a run is: on a terminal as one line that changes, elsewhere as a line whenever a
 * quarter of a phase is done.
 */
final class ProgressLine implements BackupListener {
  private static final int QUARTER = 25;

  private final PrintStream out;
  private final boolean isTerminal;
  private String phase = "";
  private int quarters;

  ProgressLine(PrintStream out, boolean isTerminal) {
    this.out = out;
    this.isTerminal = isTerminal;
  }

  /** On a terminal if both ends of the console are a person's. */
  @SuppressWarnings("SystemConsoleNull") // of JDK 22 to 24 only: there the one line is shown anyway
  static ProgressLine onConsole() {
    return new ProgressLine(System.out, System.console() != null);
  }

  @Override
  public synchronized void progressed(Progress progress) {
    if (!progress.phase().equals(phase)) {
      phase = progress.phase();
      quarters = 0;
    }
    int percent = progress.percent().orElse(0);
    boolean isNews = percent / QUARTER > quarters;
    quarters = Math.max(quarters, percent / QUARTER);
    if (isTerminal) {
      out.print("\r" + line(progress) + (percent == 100 && isNews ? "\n" : ""));
      out.flush();
    } else if (isNews) {
      out.println(line(progress).stripTrailing());
    }
  }

  private static String line(Progress progress) {
    String percent = progress.percent().isPresent() ? progress.percent().getAsInt() + " %" : "";
    String remaining =
        progress
            .remaining()
            .filter(left -> !left.isZero())
            .map(left -> Sizes.time(left) + " left")
            .orElse("in " + Sizes.time(progress.elapsed()));
    return "  %-18s %5s  %9s  %-12s"
        .formatted(progress.phase(), percent, Sizes.bytes(progress.bytes()), remaining);
  }
}
