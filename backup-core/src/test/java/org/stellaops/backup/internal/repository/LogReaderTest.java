package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SlotRange;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;

class LogReaderTest {
  private final MapStore store = new MapStore();
  private final TestSigner signer = new TestSigner();
  private final Trust trust = Trust.owner(new WriterId("host-a", signer.publicKey()));

  @BeforeEach
  void threeEntries() throws Exception {
    Optional<Digest> previous = Optional.empty();
    for (int seq = 1; seq <= 3; seq++) {
      byte[] entry = signer.entry("host-a", seq, previous, new Entry.Draft("test"));
      write(seq, entry);
      previous = Optional.of(Digest.ofContent(entry));
    }
  }

  private static String name(long seq) {
    return "log/host-a/%010d.entry".formatted(seq);
  }

  private void write(long seq, byte[] entry) {
    store.write(name(seq), entry);
  }

  private byte[] entry(long seq) {
    return store.objects.get(ObjectName.of(name(seq)));
  }

  private LogView read() throws Exception {
    return read(trust);
  }

  private LogView read(Trust by) throws Exception {
    return new LogReader(
            new LogSlots(store.access(), TestSigner.REPOSITORY, by, "host-a", new SeenSignatures()))
        .read();
  }

  private static List<Long> sequences(LogView view) {
    return view.entries().stream().map(s -> s.entry().sequence()).toList();
  }

  private static List<String> damage(LogView view) {
    return view.damage().stream()
        .map(f -> f.code().code() + " " + f.subject().replaceAll(".*/0*|\\.entry", ""))
        .toList();
  }

  private static String code(CoreFailure failure, long seq) {
    return failure.code() + " " + seq;
  }

  @Test
  void a_whole_log_has_no_damage() throws Exception {
    LogView view = read();
    assertEquals(List.of(1L, 2L, 3L), sequences(view));
    assertEquals(List.of(), view.damage());
    assertEquals(3, view.head().orElseThrow().sequence());
    assertEquals(Digest.ofContent(entry(3)), view.head().orElseThrow().digest());
    assertTrue(view.isHeadSound());
  }

  @Test
  void an_empty_log_is_sound() throws Exception {
    store.objects.clear();
    LogView view = read();
    assertEquals(Optional.empty(), view.head());
    assertTrue(view.isHeadSound());
  }

  @Test
  void a_gap_is_named_and_so_is_what_hangs_behind_it() throws Exception {
    store.objects.remove(ObjectName.of(name(2)));
    LogView view = read();
    assertEquals(List.of(1L, 3L), sequences(view));
    assertEquals(
        List.of(code(CoreFailure.CHAIN_BROKEN, 2), code(CoreFailure.CHAIN_BROKEN, 3)),
        damage(view));
  }

  private LogView readCopy() throws Exception {
    return new LogReader(
            new LogSlots(
                store.access(),
                TestSigner.REPOSITORY,
                trust,
                "host-a",
                new SeenSignatures(),
                true,
                Optional.empty()))
        .read();
  }

  @Test
  void what_a_copy_does_not_hold_is_no_damage() throws Exception {
    store.objects.remove(ObjectName.of(name(1)));
    assertEquals(List.of(2L, 3L), sequences(readCopy()));
    assertEquals(List.of(), readCopy().damage());
    assertEquals(List.of(new SlotRange("host-a", 1, 1)), readCopy().notHeld());
    assertTrue(readCopy().isHeadSound());
    assertEquals(2, read().damage().size(), "in a primary it is");
  }

  @Test
  void what_stands_side_by_side_in_a_copy_still_chains() throws Exception {
    store.objects.remove(ObjectName.of(name(1)));
    write(
        3,
        signer.entry("host-a", 3, Optional.of(Digest.ofContent(entry(3))), new Entry.Draft("x")));
    assertEquals(List.of(code(CoreFailure.CHAIN_BROKEN, 3)), damage(readCopy()));
    write(3, signer.entry("host-a", 3, Optional.empty(), new Entry.Draft("x")));
    store.objects.remove(ObjectName.of(name(2)));
    assertEquals(
        List.of(code(CoreFailure.CHAIN_BROKEN, 3)),
        damage(readCopy()),
        "nothing but the first slot stands on nothing");
  }

  @Test
  void a_damaged_entry_breaks_the_chain_of_the_next_and_hides_none() throws Exception {
    entry(2)[100] ^= 1;
    LogView view = read();
    assertEquals(List.of(1L, 3L), sequences(view));
    assertEquals(2, view.damage().size());
    assertTrue(view.isHeadSound());
  }

  @Test
  void a_damaged_head_is_no_ground_to_build_on() throws Exception {
    entry(3)[100] ^= 1;
    assertFalse(read().isHeadSound());
  }

  @Test
  void an_entry_is_only_believed_where_it_belongs() throws Exception {
    write(4, entry(2));
    write(
        5,
        signer.entry("host-b", 5, Optional.of(Digest.ofContent(entry(4))), new Entry.Draft("x")));
    LogView view = read();
    assertEquals(List.of(1L, 2L, 3L), sequences(view));
    assertEquals(
        List.of(code(CoreFailure.CHAIN_BROKEN, 4), code(CoreFailure.CHAIN_BROKEN, 5)),
        damage(view));
    assertFalse(view.isHeadSound());
  }

  @Test
  void who_signs_for_a_pinned_log_without_being_pinned_is_not_believed() throws Exception {
    TestSigner mallory = new TestSigner();
    write(
        4,
        mallory.entry("host-a", 4, Optional.of(Digest.ofContent(entry(3))), new Entry.Draft("x")));
    assertEquals(List.of(code(CoreFailure.UNTRUSTED_WRITER, 4)), damage(read()));
    assertFalse(read().isHeadSound());
    LogView anybody = read(Trust.nobody());
    assertEquals(List.of(1L, 2L, 3L, 4L), sequences(anybody));
    assertTrue(anybody.entries().stream().noneMatch(LogView.Standing::isTrusted));
  }

  @Test
  void a_newer_format_in_between_breaks_no_chain() throws Exception {
    String text = new String(entry(3), "US-ASCII");
    byte[] newer =
        signer.signed(text.substring(0, text.indexOf("#sig ")).replace("entry 1\n", "entry 9\n"));
    write(3, newer);
    write(4, signer.entry("host-a", 4, Optional.of(Digest.ofContent(newer)), new Entry.Draft("x")));
    LogView view = read();
    assertEquals(List.of(1L, 2L, 4L), sequences(view));
    assertEquals(List.of(code(CoreFailure.UNSUPPORTED_FORMAT, 3)), damage(view));
    assertTrue(view.isHeadSound());
  }

  @Test
  void strangers_in_the_folder_are_named() throws Exception {
    for (String stray :
        List.of(
            "log/host-a/0000000000.entry",
            "log/host-a/1.entry",
            "log/host-a/0000000003.torn",
            "log/host-a/x/0000000004.entry")) {
      store.write(stray, new byte[3]);
    }
    LogView view = read();
    assertEquals(List.of(1L, 2L, 3L), sequences(view));
    assertEquals(4, view.damage().size(), view.damage().toString());
    assertTrue(view.isHeadSound());
  }

  @Test
  void only_names_of_entries_have_a_slot() {
    assertEquals(7, Names.slot("log/host-a/0000000007.entry").orElseThrow());
    assertEquals(9_999_999_999L, Names.slot("log/a/9999999999.entry").orElseThrow());
    for (String name :
        List.of(
            "log/a/abcd", "log/host-a/0000000000.entry", "log/host-a/7.entry", "0123456789", "")) {
      assertTrue(Names.slot(name).isEmpty(), name);
    }
  }
}
