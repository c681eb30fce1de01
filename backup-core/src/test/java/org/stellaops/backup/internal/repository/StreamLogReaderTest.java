package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.RetentionEntry.Swept;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;

/** A log of eight: 1 and 2 stand, 3 and 4 are replaced by 5, 6 stands, 7 is replaced by 8. */
class StreamLogReaderTest {
  private final MapStore store = new MapStore();
  private final NavigableMap<Long, Swept> swept = new TreeMap<>();
  private final TestSigner signer = new TestSigner();
  private final Trust trust = Trust.owner(new WriterId("host-a", signer.publicKey()));

  @BeforeEach
  void eightEntries() throws Exception {
    put(1, StreamSamples.pieces(StreamSamples.slice(1, 0, 10)));
    put(2, StreamSamples.pieces(StreamSamples.slice(1, 10, 20)));
    put(3, StreamSamples.pieces(StreamSamples.slice(1, 20, 25)));
    put(4, StreamSamples.pieces(StreamSamples.slice(1, 25, 30)));
    put(5, StreamSamples.replacing(1, 3, 4, below(3), StreamSamples.slice(1, 20, 30)));
    put(6, StreamSamples.pieces(StreamSamples.slice(1, 30, 40)));
    put(7, StreamSamples.pieces(StreamSamples.slice(1, 40, 45)));
    put(8, StreamSamples.replacing(1, 7, 7, below(7), StreamSamples.slice(1, 40, 45)));
  }

  private Optional<Head> below(long slot) {
    return Optional.of(new Head(slot - 1, Digest.ofContent(entry(slot - 1))));
  }

  private void put(long slot, StreamEntry content) throws Exception {
    write(slot, signed(signer, slot, content));
  }

  private byte[] signed(TestSigner by, long slot, StreamEntry content) throws Exception {
    Optional<Digest> previous =
        slot == 1 ? Optional.empty() : Optional.of(Digest.ofContent(entry(slot - 1)));
    return by.entry(StreamSamples.LOG, slot, previous, content.draft());
  }

  private static ObjectName name(long slot) {
    return ObjectName.of("log/host-a.wal/%010d.entry".formatted(slot));
  }

  private void write(long slot, byte[] entry) {
    store.objects.put(name(slot), entry);
  }

  private byte[] entry(long slot) {
    return store.objects.get(name(slot));
  }

  private StreamLog read() throws Exception {
    return read(trust, Long.MAX_VALUE);
  }

  private StreamLog read(Trust by, long upTo) throws Exception {
    return new StreamLogReader(
            new LogSlots(
                store.access(), TestSigner.REPOSITORY, by, StreamSamples.LOG, new SeenSignatures()),
            swept)
        .read(upTo);
  }

  private static List<Long> slots(StreamLog log) {
    return log.entries().stream().map(e -> e.place().sequence()).toList();
  }

  private static List<String> damage(StreamLog log) {
    return log.damage().stream()
        .map(f -> f.code().code() + " " + f.subject().replaceAll(".*/0*|\\.entry", ""))
        .toList();
  }

  private static String code(CoreFailure failure, long slot) {
    return failure.code() + " " + slot;
  }

  private void assertWhole(StreamLog log) {
    assertEquals(List.of(), log.damage());
    assertEquals(List.of(1L, 2L, 5L, 6L, 8L), slots(log));
    assertEquals(8, log.head().orElseThrow().sequence());
    assertEquals(Digest.ofContent(entry(8)), log.head().orElseThrow().digest());
    assertTrue(log.isHeadSound());
    assertTrue(log.isTrusted());
  }

  @Test
  void what_others_have_replaced_is_passed_over() throws Exception {
    assertWhole(read());
    assertEquals(List.of(StreamSamples.span(1, 0, 45)), read().coverage().orElseThrow().ranges());
  }

  @Test
  void what_others_have_replaced_is_not_even_read() throws Exception {
    for (long replaced : List.of(3L, 4L, 7L)) {
      write(replaced, new byte[3]);
    }
    assertWhole(read());
  }

  @Test
  void what_others_have_replaced_may_be_gone() throws Exception {
    for (long replaced : List.of(3L, 4L, 7L)) {
      store.objects.remove(name(replaced));
      assertWhole(read());
    }
  }

  private void sweep(long first, long last) {
    Optional<Head> before =
        first == 1
            ? Optional.empty()
            : Optional.of(new Head(first - 1, Digest.ofContent(entry(first - 1))));
    swept.put(
        last,
        new Swept(StreamSamples.LOG, first, new Head(last, Digest.ofContent(entry(last))), before));
  }

  @Test
  void what_was_swept_may_be_gone_or_there() throws Exception {
    sweep(1, 2);
    sweep(3, 5);
    for (long gone : List.of(0L, 1L, 2L, 3L, 4L, 5L)) {
      store.objects.remove(name(gone));
      StreamLog log = read();
      assertEquals(List.of(), log.damage());
      assertEquals(List.of(6L, 8L), slots(log));
    }
  }

  @Test
  void a_gap_that_no_sweep_names_with_its_digest_is_missed() throws Exception {
    sweep(1, 2);
    Swept right = swept.get(2L);
    Head other = new Head(2, Digest.ofContent(new byte[1]));
    swept.put(2L, new Swept(right.log(), 1, other, Optional.empty()));
    store.objects.remove(name(1));
    store.objects.remove(name(2));
    assertEquals(List.of(code(CoreFailure.CHAIN_BROKEN, 2)), damage(read()));
    swept.clear();
    swept.put(1L, new Swept(right.log(), 1, new Head(1, right.last().digest()), Optional.empty()));
    assertEquals(List.of(code(CoreFailure.CHAIN_BROKEN, 2)), damage(read()));
  }

  @Test
  void an_empty_log_is_sound_and_says_nothing() throws Exception {
    store.objects.clear();
    StreamLog log = read();
    assertEquals(Optional.empty(), log.head());
    assertEquals(Optional.empty(), log.coverage());
    assertTrue(log.isHeadSound());
  }

  @Test
  void an_entry_that_counts_is_missed() throws Exception {
    store.objects.remove(name(6));
    StreamLog log = read();
    assertEquals(List.of(code(CoreFailure.CHAIN_BROKEN, 6)), damage(log));
    assertEquals(List.of(1L, 2L, 5L, 8L), slots(log));
    store.objects.remove(name(1));
    assertEquals(
        List.of(code(CoreFailure.CHAIN_BROKEN, 6), code(CoreFailure.CHAIN_BROKEN, 1)),
        damage(read()));
  }

  @Test
  void the_entry_below_a_replaced_range_is_missed() throws Exception {
    store.objects.remove(name(2));
    StreamLog log = read();
    assertEquals(List.of(code(CoreFailure.CHAIN_BROKEN, 2)), damage(log));
    assertEquals(List.of(1L, 5L, 6L, 8L), slots(log));
  }

  @Test
  void several_missing_entries_are_one_finding() throws Exception {
    store.objects.remove(name(1));
    store.objects.remove(name(2));
    StreamLog log = read();
    assertEquals(List.of(code(CoreFailure.CHAIN_BROKEN, 2)), damage(log));
    assertTrue(log.damage().get(0).found().contains("entries 1 to 2"), log.damage().toString());
  }

  @Test
  void another_entry_below_a_replaced_range_breaks_the_chain() throws Exception {
    put(2, StreamSamples.pieces(StreamSamples.slice(1, 10, 21)));
    assertEquals(List.of(code(CoreFailure.CHAIN_BROKEN, 2)), damage(read()));
  }

  @Test
  void another_entry_below_one_that_replaces_nothing_breaks_the_chain() throws Exception {
    put(5, StreamSamples.pieces(StreamSamples.slice(1, 25, 31)));
    assertTrue(damage(read()).contains(code(CoreFailure.CHAIN_BROKEN, 5)));
  }

  @Test
  void the_wrong_digest_of_what_is_below_breaks_the_chain() throws Exception {
    put(8, StreamSamples.replacing(1, 7, 7, below(2).map(h -> new Head(6, h.digest()))));
    StreamLog log = read();
    assertEquals(List.of(code(CoreFailure.CHAIN_BROKEN, 6)), damage(log));
    assertTrue(log.isHeadSound());
  }

  @Test
  void a_damaged_entry_hides_none_below_it() throws Exception {
    entry(5)[200] ^= 1;
    StreamLog log = read();
    assertEquals(List.of(1L, 2L, 3L, 4L, 6L, 8L), slots(log));
    assertTrue(log.isHeadSound());
    assertFalse(log.damage().isEmpty());
    assertTrue(log.damage().stream().allMatch(f -> f.subject().endsWith("5.entry")));
  }

  @Test
  void a_truncated_newest_entry_is_no_ground_to_build_on() throws Exception {
    byte[] whole = entry(8);
    for (int length : List.of(0, 1, whole.length / 2, whole.length - 1)) {
      write(8, Arrays.copyOf(whole, length));
      StreamLog log = read();
      assertFalse(log.isHeadSound(), "cut to " + length);
      assertEquals(8, log.head().orElseThrow().sequence());
      assertEquals(List.of(1L, 2L, 5L, 6L, 7L), slots(log));
    }
  }

  @Test
  void an_entry_is_only_believed_where_it_belongs() throws Exception {
    write(9, entry(6));
    write(
        10,
        signer.entry(
            "host-b.wal",
            10,
            Optional.of(Digest.ofContent(entry(9))),
            StreamSamples.pieces(StreamSamples.slice(1, 45, 50)).draft()));
    StreamLog log = read();
    assertEquals(List.of(1L, 2L, 5L, 6L, 8L), slots(log));
    assertEquals(
        List.of(code(CoreFailure.CHAIN_BROKEN, 10), code(CoreFailure.CHAIN_BROKEN, 9)),
        damage(log));
    assertFalse(log.isHeadSound());
  }

  @Test
  void an_entry_of_another_repository_is_not_believed() throws Exception {
    StreamLog log =
        new StreamLogReader(
                new LogSlots(
                    store.access(),
                    "99999999-1111-2222-3333-444444444444",
                    trust,
                    StreamSamples.LOG,
                    new SeenSignatures()),
                swept)
            .read(Long.MAX_VALUE);
    assertEquals(List.of(), slots(log));
    assertEquals(8, log.damage().size());
  }

  @Test
  void who_signs_for_a_pinned_log_without_being_pinned_is_not_believed() throws Exception {
    write(9, signed(new TestSigner(), 9, StreamSamples.replacing(2, 1, 8, Optional.empty())));
    StreamLog log = read();
    assertEquals(List.of(code(CoreFailure.UNTRUSTED_WRITER, 9)), damage(log));
    assertEquals(List.of(1L, 2L, 5L, 6L, 8L), slots(log));
    assertFalse(log.isHeadSound());
    StreamLog anybody = read(Trust.nobody(), Long.MAX_VALUE);
    assertEquals(List.of(9L), slots(anybody));
    assertFalse(anybody.isTrusted());
  }

  @Test
  void an_entry_of_another_kind_is_named_and_breaks_no_chain() throws Exception {
    byte[] other =
        signer.entry(
            StreamSamples.LOG,
            9,
            Optional.of(Digest.ofContent(entry(8))),
            new Entry.Draft("snapshot"));
    write(9, other);
    put(10, StreamSamples.pieces(StreamSamples.slice(1, 45, 50)));
    StreamLog log = read();
    assertEquals(List.of(code(CoreFailure.UNSUPPORTED_FORMAT, 9)), damage(log));
    assertEquals(List.of(1L, 2L, 5L, 6L, 8L, 10L), slots(log));
  }

  @Test
  void the_log_can_be_read_as_it_was() throws Exception {
    StreamLog then = read(trust, 4);
    assertEquals(List.of(1L, 2L, 3L, 4L), slots(then));
    assertEquals(List.of(), then.damage());
    assertEquals(4, then.head().orElseThrow().sequence());
    assertEquals(List.of(1L, 2L, 5L, 6L, 7L), slots(read(trust, 7)));
  }

  @Test
  void strangers_in_the_folder_are_named() throws Exception {
    store.write("log/host-a.wal/1.entry", new byte[3]);
    store.write("log/host-a.wal/0000000000.entry", new byte[3]);
    StreamLog log = read();
    assertEquals(2, log.damage().size());
    assertEquals(List.of(1L, 2L, 5L, 6L, 8L), slots(log));
    assertTrue(log.isHeadSound());
  }

  @Test
  void what_replaces_slots_from_within_a_swept_range_on_goes_on_below_it() throws Exception {
    sweep(1, 7);
    for (long gone = 7; gone > 0; gone--) {
      store.objects.remove(name(gone));
      StreamLog log = read();
      assertEquals(List.of(), log.damage());
      assertEquals(List.of(8L), slots(log));
    }
  }

  @Test
  void a_swept_range_within_another_hides_none_of_it() throws Exception {
    sweep(1, 7);
    sweep(6, 6);
    swept.put(
        6L, new Swept(StreamSamples.LOG, 6, new Head(6, Digest.ofContent(new byte[1])), below(6)));
    for (long gone = 7; gone > 0; gone--) {
      store.objects.remove(name(gone));
    }
    StreamLog log = read();
    assertEquals(List.of(), log.damage());
    assertEquals(List.of(8L), slots(log));
  }
}
