package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;

/** Recorded WAL is listed by segments, and what is missing shows. */
class WalListingTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final long SEGMENT = 16 << 20;

  private static Coverage coverage(List<StreamGap> gaps, SliceSpan... slices) {
    return new Coverage(
        "log",
        SourceName.of("wal"),
        SourceKind.of(PostgresWal.KIND),
        "1",
        List.of(slices),
        gaps,
        List.of());
  }

  private static SliceSpan slice(long from, long to, int second) {
    Optional<Instant> time = Optional.of(START.plusSeconds(second));
    return new SliceSpan(new Lsn(from).in("1", 1), new Lsn(to).in("1", 1), time, time);
  }

  private static SliceSpan segment(int number, int second) {
    return slice(number * SEGMENT, (number + 1) * SEGMENT, second);
  }

  private static List<String> names(List<WalListing.Segment> segments) {
    return segments.stream()
        .map(s -> Integer.parseInt(s.name().substring(16), 16) + (s.isComplete() ? "" : " in part"))
        .toList();
  }

  @Test
  void segments_between_two_instants_are_those_whose_commits_are() {
    WalListing listing =
        WalListing.of(
            coverage(
                List.of(),
                segment(3, 10),
                segment(4, 20),
                segment(5, 30),
                slice(6 * SEGMENT, 6 * SEGMENT + 1000, 40)));

    assertEquals(List.of("3", "4", "5", "6 in part"), names(listing.segments()));
    assertEquals(
        List.of("4", "5"), names(listing.segments(START.plusSeconds(20), START.plusSeconds(30))));
    assertEquals(List.of(), listing.segments(START.plusSeconds(21), START.plusSeconds(29)));
    assertEquals(List.of(), listing.gaps());
    assertThrows(
        IllegalArgumentException.class, () -> listing.segments(START.plusSeconds(1), START));
  }

  @Test
  void a_missing_slice_is_a_gap_and_says_why_if_that_is_known() {
    StreamGap known =
        new StreamGap(new Lsn(6 * SEGMENT).in("1", 1), new Lsn(7 * SEGMENT).in("1", 1), "removed");
    WalListing listing =
        WalListing.of(coverage(List.of(known), segment(3, 1), segment(5, 2), segment(7, 3)));

    assertEquals(
        List.of(
            new WalListing.Gap(1, new Lsn(4 * SEGMENT), new Lsn(5 * SEGMENT), Optional.empty()),
            new WalListing.Gap(
                1, new Lsn(6 * SEGMENT), new Lsn(7 * SEGMENT), Optional.of("removed"))),
        listing.gaps());
  }

  @Test
  void segments_of_other_sizes_have_other_names() {
    Coverage coverage = coverage(List.of(), segment(4, 1));

    assertEquals(
        List.of("000000010000000000000001"),
        WalListing.of(coverage, 64 << 20).segments().stream()
            .map(WalListing.Segment::name)
            .toList());
    assertEquals(16, WalListing.of(coverage, 1 << 20).segments().size());
  }
}
