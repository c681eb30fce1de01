package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.internal.repository.StreamEntry.Replaced;
import org.stellaops.backup.internal.repository.StreamEntry.Slice;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;

class StreamEntryTest {
  private static final Digest BELOW = Digest.ofContent(new byte[] {5});
  private static final String OBJECT =
      StreamSamples.object("x").stored().hex() + "  " + StreamSamples.object("x").name();
  private final TestSigner signer = new TestSigner();

  /** With everything that an entry can say. */
  private static StreamEntry full() {
    SliceSpan timed =
        new SliceSpan(
            StreamSamples.at(1, 20),
            new Position("system-1", 1, -1L, "FFFFFFFF/FFFF=FFFF:1"),
            Optional.of(Instant.parse("2026-11-20T02:00:00.123456789Z")),
            Optional.of(StreamSamples.TIME));
    SliceSpan late =
        new SliceSpan(
            new Position("system-1", 1, -9L, "x"), timed.to(), timed.firstTime(), timed.lastTime());
    SliceSpan others =
        new SliceSpan(timed.from(), late.from(), 77, Optional.empty(), Optional.empty());
    Slice one = StreamSamples.slice(1, 10, 20);
    return new StreamEntry(
        StreamSamples.about(StreamSamples.EPOCH + " YWJj", "fedcba9876543210 ZGVm"),
        2,
        List.of(
            one,
            new Slice(others, one.epoch(), one.keyedDigest(), one.object()),
            new Slice(late, one.epoch(), one.keyedDigest(), one.object())),
        List.of(StreamSamples.companion("00000002.history")),
        List.of(
            StreamSamples.mark("before the \u00e4 % + \n \u4e2d migration", 17),
            StreamSamples.mark(" ", 18)),
        List.of(new StreamGap(StreamSamples.at(1, 3), StreamSamples.at(1, 10), "100 % lost\u2026")),
        Optional.of(new Replaced(3, 6, Optional.of(new LogView.Head(2, BELOW)))));
  }

  private StreamEntry read(Entry.Draft draft, long slot) throws Exception {
    return StreamEntry.of(entry(draft, slot));
  }

  private Entry entry(Entry.Draft draft, long slot) throws Exception {
    Optional<Digest> previous = slot == 1 ? Optional.empty() : Optional.of(BELOW);
    return Entry.parse(
        signer.entry(StreamSamples.LOG, slot, previous, draft), "it", new SeenSignatures());
  }

  @Test
  void what_is_written_is_read() throws Exception {
    assertEquals(full(), read(full().draft(), 7));
    StreamEntry small = StreamSamples.pieces(StreamSamples.slice(0, 0, 1));
    assertEquals(small, read(small.draft(), 1));
    StreamEntry lost = StreamEntry.of(StreamSamples.about(), StreamSamples.gap(1, 2));
    assertEquals(lost, read(lost.draft(), 1));
    StreamEntry first =
        StreamSamples.replacing(1, 1, 1, Optional.empty(), StreamSamples.slice(0, 0, 1));
    assertEquals(first, read(first.draft(), 2));
  }

  @Test
  void the_objects_are_checksum_lines() throws Exception {
    Entry entry = entry(full().draft(), 7);
    assertEquals(4, full().objects().size());
    assertEquals(
        full().objects().stream().map(o -> o.stored() + " " + o.name()).toList(),
        entry.lines().stream().map(l -> l.stored() + " " + l.path()).toList());
  }

  @Test
  void its_length_is_that_of_its_lines() throws Exception {
    String text =
        new String(
            signer.entry(StreamSamples.LOG, 7, Optional.of(BELOW), full().draft()),
            StandardCharsets.US_ASCII);
    String body = text.substring(text.indexOf("# stream:"), text.indexOf("#sig "));
    assertEquals(body.length(), full().lengthBytes());
  }

  private CoreFailure refused(String body, long slot) throws Exception {
    String text =
        new String(
            signer.entry(
                StreamSamples.LOG,
                slot,
                slot == 1 ? Optional.empty() : Optional.of(BELOW),
                new Entry.Draft("segment")),
            StandardCharsets.US_ASCII);
    byte[] signed = signer.signed(text.substring(0, text.indexOf("#sig ")) + body);
    Entry entry = Entry.parse(signed, "it", new SeenSignatures());
    var refused = assertThrows(BackupException.Corrupt.class, () -> StreamEntry.of(entry), body);
    return (CoreFailure) refused.code();
  }

  private static String honest(String tier, String more) {
    return "# stream: wal\n# stream-kind: toy-log/1\n# lineage: system-1\n# tier: "
        + tier
        + "\n"
        + more;
  }

  private static String slice(String words, String lines) {
    return honest("0", ("# slice: " + words).stripTrailing() + "\n" + lines);
  }

  private static final String SPAN = "1 000000000000000a:0/a 0000000000000014:0/14";
  private static final String SEALED = StreamSamples.EPOCH + " 10 " + BELOW.hex();

  @Test
  void what_the_hostile_entries_are_made_from_is_read() throws Exception {
    String text =
        new String(
            signer.entry(StreamSamples.LOG, 1, Optional.empty(), new Entry.Draft("segment")),
            StandardCharsets.US_ASCII);
    byte[] signed =
        signer.signed(
            text.substring(0, text.indexOf("#sig ")) + slice(SPAN + " " + SEALED, OBJECT + "\n"));
    StreamEntry read = StreamEntry.of(Entry.parse(signed, "it", new SeenSignatures()));
    assertEquals(StreamSamples.span(1, 10, 20), read.slices().get(0).span());
  }

  @Test
  void a_slice_has_exactly_one_object_of_a_stream() throws Exception {
    String words = SPAN + " " + SEALED;
    String hex = StreamSamples.object("x").stored().hex();
    for (String lines :
        List.of(
            "",
            OBJECT + "\n" + OBJECT + "\n",
            OBJECT.replace("/stream/", "/packs/" + hex.substring(0, 2) + "/") + "\n",
            OBJECT.replace("/stream/", "/manifests/") + "\n",
            OBJECT.replace("/stream/", "/state/") + "\n",
            OBJECT.replace("/stream/", "/lists/").replace(".age", ".sums") + "\n",
            OBJECT.replace("/stream/", "/stream/x/") + "\n",
            OBJECT.replace("w/host-a/stream/", "w/stream/manifests/") + "\n",
            OBJECT.replace("w/", "x/") + "\n",
            OBJECT.replace(".age", ".sums") + "\n",
            BELOW.hex() + OBJECT.substring(64) + "\n")) {
      assertEquals(CoreFailure.MALFORMED, refused(slice(words, lines), 1), lines);
    }
  }

  @Test
  void bad_words_of_a_slice_are_refused() throws Exception {
    for (String words :
        List.of(
            "",
            SPAN,
            SPAN + " " + SEALED + " 2026-11-20T02:00:00Z",
            SPAN + " " + SEALED + " now later",
            SPAN + " " + SEALED + " 2026-11-20T02:00:00Z 2026-11-20T02:00:00Z x",
            SPAN + " short 10 " + BELOW.hex(),
            SPAN + " " + StreamSamples.EPOCH + " 10 " + BELOW.hex().substring(1),
            SPAN + " " + StreamSamples.EPOCH + " " + BELOW.hex(),
            SPAN + " " + StreamSamples.EPOCH + " -10 " + BELOW.hex(),
            SPAN + " " + StreamSamples.EPOCH + " 010 " + BELOW.hex(),
            SPAN + " " + StreamSamples.EPOCH + " 2147483648 " + BELOW.hex(),
            ("1 0000000000000014:0/14 000000000000000a:0/a ") + SEALED,
            ("1 000000000000000a:0/a 000000000000000a:0/a ") + SEALED,
            ("1 000000000000000a:0/a 00000000FFFFFFFF:0/14 ") + SEALED,
            ("-1 000000000000000a:0/a 0000000000000014:0/14 ") + SEALED,
            ("01 000000000000000a:0/a 0000000000000014:0/14 ") + SEALED,
            ("+1 000000000000000a:0/a 0000000000000014:0/14 ") + SEALED,
            ("9223372036854775808 000000000000000a:0/a 0000000000000014:0/14 ") + SEALED,
            ("1 a:0/a 0000000000000014:0/14 ") + SEALED,
            ("1 000000000000000a 0000000000000014:0/14 ") + SEALED,
            ("1 000000000000000a: 0000000000000014:0/14 ") + SEALED,
            ("1 000000000000000a:0,a 0000000000000014:0/14 ") + SEALED)) {
      assertEquals(CoreFailure.MALFORMED, refused(slice(words, OBJECT + "\n"), 1), words);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "# replaces: 3..5\n# before: 2 B\n",
        "# replaces: 3..7\n# before: 2 B\n",
        "# replaces: 7..6\n# before: 6 B\n",
        "# replaces: 3..6\n",
        "# replaces: 3..6\n# before: 1 B\n",
        "# replaces: 3..6\n# before: 3 B\n",
        "# replaces: 0..6\n",
        "# replaces: 1..6\n# before: 0 B\n",
        "# replaces: -4..6\n# before: -5 B\n",
        "# replaces: 03..6\n# before: 2 B\n",
        "# replaces: 3..6..6\n# before: 2 B\n",
        "# replaces: 3\n# before: 2 B\n",
        "# replaces: 3-6\n# before: 2 B\n",
        "# replaces:\n# before: 2 B\n",
        "# replaces: 3..6\n# before: 2\n",
        "# replaces: 3..6\n# before: 2 B B\n",
        "# replaces: 3..6\n# before: 2 abc\n",
        "# before: 2 B\n"
      })
  void what_it_replaces_ends_right_below_it_and_what_is_below_that_is_named(String lines)
      throws Exception {
    String body = honest("1", lines.replace("B", BELOW.hex()));
    assertEquals(CoreFailure.MALFORMED, refused(body, 7));
  }

  @Test
  void the_first_slot_replaces_nothing() throws Exception {
    assertEquals(CoreFailure.MALFORMED, refused(honest("1", "# replaces: 1..0\n"), 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "3", "x", "", "00", "99999999999999999999"})
  void there_are_three_tiers(String tier) throws Exception {
    assertEquals(CoreFailure.MALFORMED, refused(honest(tier, "").replace(": \n", ":\n"), 1));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "# mark: 1 000000000000000a:0/a 2026-11-20T02:00:00Z\n",
        "# mark: 1 000000000000000a:0/a 2026-11-20T02:00:00Z a b\n",
        "# mark: 1 000000000000000a:0/a yesterday a\n",
        "# mark: 1 000000000000000a:0/a 2026-11-20T02:00:00Z %zz\n",
        "# mark: 1 10:0/a 2026-11-20T02:00:00Z a\n",
        "# gap: 1 000000000000000a:0/a 0000000000000014:0/14\n",
        "# gap: 1 0000000000000014:0/14 000000000000000a:0/a why\n",
        "# gap: 1 000000000000000a:0/a 000000000000000a:0/a why\n",
        "# companion: a\n",
        "# companion: a 0123456789abcdef -1 B\n",
        "# companion: .. 0123456789abcdef 1 B\n",
        "# companion: a/b 0123456789abcdef 1 B\n"
      })
  void bad_words_of_the_others_are_refused(String line) throws Exception {
    assertEquals(
        CoreFailure.MALFORMED,
        refused(honest("0", line.replace("B", BELOW.hex()) + OBJECT + "\n"), 1));
  }

  @Test
  void every_field_that_says_whose_it_is_must_be_there() throws Exception {
    for (String field : List.of("stream", "stream-kind", "lineage", "tier")) {
      String without = honest("0", "").replaceFirst("(?m)^# " + field + ": .*\n", "");
      assertEquals(CoreFailure.MALFORMED, refused(without, 1), field);
    }
  }

  @Test
  void what_a_newer_version_requires_is_told_apart_from_damage() throws Exception {
    assertEquals(CoreFailure.UNSUPPORTED_FORMAT, refused(honest("0", "# requires: columns\n"), 1));
    Entry other = entry(new Entry.Draft("snapshot"), 1);
    assertFalse(StreamEntry.isStream(other));
    assertEquals(
        CoreFailure.UNSUPPORTED_FORMAT,
        assertThrows(BackupException.Corrupt.class, () -> StreamEntry.of(other)).code());
  }

  @Test
  void marks_and_gaps_take_only_what_can_be_written() {
    for (String name : List.of("", "x".repeat(201))) {
      assertThrows(
          IllegalArgumentException.class,
          () -> new StreamMark(name, StreamSamples.at(1, 1), StreamSamples.TIME));
    }
    for (String why : List.of("", "x".repeat(1001))) {
      assertThrows(
          IllegalArgumentException.class,
          () -> new StreamGap(StreamSamples.at(1, 1), StreamSamples.at(1, 2), why));
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> new StreamGap(StreamSamples.at(1, 1), StreamSamples.at(2, 2), "other branch"));
  }
}
