package org.stellaops.backup.internal.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.stellaops.backup.internal.repository.StreamSamples.at;
import static org.stellaops.backup.internal.repository.StreamSamples.gap;
import static org.stellaops.backup.internal.repository.StreamSamples.head;
import static org.stellaops.backup.internal.repository.StreamSamples.log;
import static org.stellaops.backup.internal.repository.StreamSamples.pieces;
import static org.stellaops.backup.internal.repository.StreamSamples.replacing;
import static org.stellaops.backup.internal.repository.StreamSamples.slice;
import static org.stellaops.backup.internal.repository.StreamSamples.span;
import static org.stellaops.backup.internal.repository.StreamSamples.standing;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.internal.repository.StreamSamples;

class StreamLedgerTest {
  private final StreamLedger ledger = new StreamLedger(log());
  private long slot;

  private void record(StreamEntry entry) {
    replace(entry, ledger.size());
  }

  private void replace(StreamEntry entry, int from) {
    slot++;
    ledger.committed(head(slot), entry, from, standing(slot, entry).signed());
  }

  @Test
  void an_empty_one_begins_at_nothing() throws IOException {
    assertEquals(Optional.empty(), ledger.durable());
    assertEquals(Optional.empty(), ledger.head());
    assertEquals(Optional.empty(), ledger.lineage());
    assertEquals(0, ledger.tail(2));
  }

  @Test
  void it_goes_on_where_the_branch_recorded_last_ends() throws IOException {
    record(pieces(slice(1, 0, 30)));
    record(pieces(slice(2, 20, 25)));
    assertEquals(Optional.of(at(2, 25)), ledger.durable());
    record(pieces(slice(1, 10, 20)));
    assertEquals(Optional.of(at(1, 30)), ledger.durable());
  }

  @Test
  void what_was_read_again_goes_on_at_the_same_place_whatever_was_merged() throws IOException {
    StreamLedger reread =
        new StreamLedger(
            log(
                standing(3, replacing(2, 1, 2, Optional.empty(), slice(1, 0, 100))),
                standing(5, replacing(1, 4, 4, Optional.of(head(3)), slice(1, 100, 150)))));
    assertEquals(Optional.of(at(1, 150)), reread.durable());
  }

  @Test
  void a_merged_slice_takes_the_place_of_its_pieces_in_the_order_of_recording() throws IOException {
    record(pieces(slice(1, 0, 10)));
    record(pieces(slice(1, 10, 20)));
    record(pieces(slice(1, 20, 25)));
    record(pieces(slice(2, 22, 23)));
    StreamEntry merged = ledger.merged(0, slice(1, 0, 20), List.of(StreamSamples.EPOCH + " YWJj"));
    assertEquals(List.of(slice(1, 0, 20), slice(1, 20, 25), slice(2, 22, 23)), merged.slices());
    assertEquals(1, merged.tier());
    assertEquals(List.of(StreamSamples.EPOCH + " YWJj"), merged.about().keys());
    assertEquals(Optional.of(new StreamEntry.Replaced(1, 4, Optional.empty())), merged.replaced());
    replace(merged, 0);
    assertEquals(Optional.of(at(2, 23)), ledger.durable());
    assertEquals(1, ledger.size());
  }

  @Test
  void what_is_listed_together_repeats_everything_once() throws IOException {
    StreamEntry marked =
        new StreamEntry(
            StreamSamples.about("a b"),
            0,
            List.of(slice(1, 0, 10)),
            List.of(StreamSamples.companion("x")),
            List.of(StreamSamples.mark("m", 5)));
    record(marked);
    record(pieces(slice(1, 10, 20)));
    record(StreamEntry.of(StreamSamples.about("c d"), gap(20, 30)));
    StreamEntry listed = ledger.listed(0);
    assertEquals(StreamEntry.TOP_TIER, listed.tier());
    assertEquals(List.of(slice(1, 0, 10), slice(1, 10, 20)), listed.slices());
    assertEquals(List.of(StreamSamples.companion("x")), listed.companions());
    assertEquals(List.of(StreamSamples.mark("m", 5)), listed.marks());
    assertEquals(List.of(gap(20, 30)), listed.gaps());
    assertEquals(List.of("a b", "c d"), listed.about().keys());
    replace(listed, 0);
    assertEquals(listed.slices(), ledger.listed(0).slices());
    assertTrue(ledger.knowsKey("a b") && ledger.knowsKey("c d"));
    assertTrue(ledger.companion("x").isPresent());
    assertTrue(ledger.knows(StreamSamples.mark("m", 5)));
    assertFalse(ledger.knows(StreamSamples.mark("m", 6)));
  }

  @Test
  void what_is_replaced_begins_behind_the_entry_before_also_where_slots_were_passed_over()
      throws IOException {
    record(pieces(slice(1, 0, 10)));
    record(pieces(slice(1, 10, 20)));
    replace(ledger.listed(0), 0);
    record(pieces(slice(1, 20, 30)));
    record(pieces(slice(1, 30, 40)));
    assertEquals(
        Optional.of(new StreamEntry.Replaced(4, 5, Optional.of(head(3)))),
        ledger.listed(1).replaced());
    assertEquals(
        Optional.of(new StreamEntry.Replaced(1, 5, Optional.empty())), ledger.listed(0).replaced());
  }

  @Test
  void a_tail_ends_at_an_entry_of_its_tier() throws IOException {
    record(pieces(slice(1, 0, 10)));
    record(pieces(slice(1, 10, 20)));
    replace(ledger.listed(0), 0);
    record(pieces(slice(1, 20, 25)));
    record(pieces(slice(1, 25, 30)));
    replace(ledger.merged(1, slice(1, 20, 30), List.of("a b")), 1);
    record(pieces(slice(1, 30, 40)));
    assertEquals(2, ledger.tail(1));
    assertEquals(1, ledger.tail(2));
    assertEquals(0, ledger.tail(3));
  }

  @Test
  void only_exactly_the_same_range_is_known() throws IOException {
    record(pieces(slice(1, 0, 10)));
    record(pieces(slice(1, 10, 20)));
    assertTrue(ledger.slice(span(1, 0, 10)).isPresent());
    assertFalse(ledger.slice(span(1, 0, 20)).isPresent());
    assertFalse(ledger.slice(span(1, 0, 9)).isPresent());
    assertFalse(ledger.slice(span(2, 0, 10)).isPresent());
    assertFalse(ledger.slice(span(1, 10, 21)).isPresent());
  }

  @Test
  void a_gap_leads_on_from_where_the_branch_ends_or_from_before() throws IOException {
    record(pieces(slice(1, 0, 20)));
    record(StreamEntry.of(StreamSamples.about(), gap(20, 30)));
    record(StreamEntry.of(StreamSamples.about(), gap(15, 40)));
    record(StreamEntry.of(StreamSamples.about(), gap(25, 50)));
    assertTrue(ledger.isGap(at(1, 20), at(1, 30)));
    assertTrue(ledger.isGap(at(1, 20), at(1, 40)));
    assertFalse(ledger.isGap(at(1, 20), at(1, 50)));
    assertFalse(ledger.isGap(at(1, 20), at(1, 31)));
    assertFalse(ledger.isGap(at(2, 20), at(2, 30)));
    assertTrue(ledger.knows(gap(15, 40)));
    assertFalse(ledger.knows(gap(15, 41)));
  }

  @Test
  void ends_are_unsigned() throws IOException {
    record(pieces(slice(1, Long.MAX_VALUE - 5, Long.MAX_VALUE)));
    record(pieces(slice(1, Long.MAX_VALUE, Long.MIN_VALUE + 5)));
    assertEquals(Optional.of(at(1, Long.MIN_VALUE + 5)), ledger.durable());
  }
}
