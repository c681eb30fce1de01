package org.stellaops.backup.model;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * How far back a source can be taken to any instant, beside how far its policy says.
 *
 * <p>What comes behind {@link #newest()} is no hole: nobody can tell here whether nothing happened
 * since or nothing was recorded; the stream's own status does.
 *
 * @param writer whose log holds the captures
 * @param source what the plan calls the source
 * @param wanted so far back the policy wants every instant
 * @param asOf when it was asked
 * @param since from here on every instant should be there: so far back, or the first instant that
 *     ever was there, where that is later
 * @param spans what is there of that time, oldest first; they do not touch
 */
public record RecoveryWindow(
    String writer,
    SourceName source,
    Duration wanted,
    Instant asOf,
    Instant since,
    List<Span> spans) {
  public RecoveryWindow {
    spans = List.copyOf(spans);
  }

  /**
   * A time without a gap.
   *
   * @param from first instant
   * @param to last instant; may be the first
   */
  public record Span(Instant from, Instant to) {
    public Span {
      if (to.isBefore(from)) {
        throw new IllegalArgumentException("a span from %s to %s".formatted(from, to));
      }
    }

    /** How long it is. */
    public Duration length() {
      return Duration.between(from, to);
    }
  }

  /**
   * The window that these times leave.
   *
   * @param first the first instant that ever could be reached
   * @param reachable times that can be reached, in any order, overlapping or not
   */
  public static RecoveryWindow of(
      String writer,
      SourceName source,
      Duration wanted,
      Instant asOf,
      Instant first,
      List<Span> reachable) {
    Instant oldest = asOf.minus(wanted);
    Instant since = first.isAfter(oldest) ? first : oldest;
    List<Span> spans = new ArrayList<>();
    reachable.stream()
        .filter(s -> !s.to().isBefore(since))
        .sorted(Comparator.comparing(Span::from).thenComparing(Span::to))
        .forEach(s -> join(spans, new Span(later(s.from(), since), s.to())));
    return new RecoveryWindow(writer, source, wanted, asOf, since, spans);
  }

  private static void join(List<Span> spans, Span next) {
    int last = spans.size() - 1;
    if (last >= 0 && !next.from().isAfter(spans.get(last).to())) {
      Span before = spans.get(last);
      spans.set(last, new Span(before.from(), later(before.to(), next.to())));
    } else {
      spans.add(next);
    }
  }

  private static Instant later(Instant one, Instant other) {
    return one.isAfter(other) ? one : other;
  }

  /** What should be there and is not, oldest first; their ends are the instants beside them. */
  public List<Span> holes() {
    List<Span> holes = new ArrayList<>();
    Instant reached = since;
    for (Span span : spans) {
      if (span.from().isAfter(reached)) {
        holes.add(new Span(reached, span.from()));
      }
      reached = span.to();
    }
    if (spans.isEmpty()) {
      holes.add(new Span(since, later(since, asOf)));
    }
    return List.copyOf(holes);
  }

  /** Whether less is there than the policy says. */
  public boolean isShort() {
    return !holes().isEmpty();
  }

  /** The last instant that can be reached; empty where none can. */
  public Optional<Instant> newest() {
    return spans.isEmpty() ? Optional.empty() : Optional.of(spans.get(spans.size() - 1).to());
  }

  /**
   * How far back every instant up to the newest can be reached, counted from that: a figure to
   * draw, beside {@link #wanted()}.
   */
  public Duration unbroken() {
    return spans.isEmpty() ? Duration.ZERO : spans.get(spans.size() - 1).length();
  }

  /** That it is too short; empty if it is not. */
  public Optional<Finding> finding() {
    List<Span> holes = holes();
    if (holes.isEmpty()) {
      return Optional.empty();
    }
    Span first = holes.get(0);
    String more = holes.size() == 1 ? "" : ", nor in %d other times".formatted(holes.size() - 1);
    return Optional.of(
        new Finding(
            CoreFailure.WINDOW_SHORT,
            writer + "/" + source,
            "every instant since %s should be in reach; none between %s and %s is%s"
                .formatted(since, first.from(), first.to(), more)));
  }
}
