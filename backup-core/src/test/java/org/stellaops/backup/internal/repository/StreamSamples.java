package org.stellaops.backup.internal.repository;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.StreamEntry.Companion;
import org.stellaops.backup.internal.repository.StreamEntry.Replaced;
import org.stellaops.backup.internal.repository.StreamEntry.Slice;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;

/** Entries of a made-up stream. */
public final class StreamSamples {
  public static final Instant TIME = Instant.parse("2026-11-20T02:00:00Z");
  public static final String EPOCH = "0123456789abcdef";
  static final String LOG = "host-a.wal";

  private StreamSamples() {}

  public static Position at(long branch, long offset) {
    return new Position("system-1", branch, offset, "0/" + Long.toHexString(offset));
  }

  public static SliceSpan span(long branch, long from, long to) {
    return SliceSpan.of(at(branch, from), at(branch, to));
  }

  public static ObjectRef object(String content) {
    return Names.stream(
        "host-a", Digest.ofContent(content.getBytes(StandardCharsets.UTF_8)), content.length());
  }

  private static String keyed(String content) {
    return Digest.ofContent(("k" + content).getBytes(StandardCharsets.UTF_8)).hex();
  }

  public static Slice slice(long branch, long from, long to) {
    String content = branch + " " + from + " " + to;
    return new Slice(span(branch, from, to), EPOCH, keyed(content), object(content));
  }

  public static Companion companion(String name) {
    return new Companion(name, EPOCH, 7, keyed(name), object(name));
  }

  public static StreamMark mark(String name, long offset) {
    return new StreamMark(name, at(1, offset), TIME);
  }

  public static StreamGap gap(long from, long to) {
    return new StreamGap(at(1, from), at(1, to), "it was removed");
  }

  public static StreamEntry.About about(String... keys) {
    return new StreamEntry.About(
        SourceName.of("wal"), SourceKind.of("toy-log/1"), "system-1", List.of(keys));
  }

  /** What was recorded at once. */
  public static StreamEntry pieces(Slice... slices) {
    return new StreamEntry(about(), 0, List.of(slices), List.of(), List.of());
  }

  public static StreamEntry replacing(
      int tier, long first, long last, Optional<Head> before, Slice... slices) {
    return new StreamEntry(
        about(),
        tier,
        List.of(slices),
        List.of(),
        List.of(),
        List.of(),
        Optional.of(new Replaced(first, last, before)));
  }

  /** An entry at a place nobody looks at. */
  public static StreamLog.Standing standing(long slot, StreamEntry entry) {
    return new StreamLog.Standing(
        head(slot), entry, new StreamLog.Signed(Instant.EPOCH, Optional.empty(), Optional.empty()));
  }

  public static Head head(long slot) {
    return new Head(slot, Digest.ofContent(new byte[] {(byte) slot}));
  }

  /** A log of these, without damage. */
  public static StreamLog log(StreamLog.Standing... entries) {
    Optional<Head> head =
        entries.length == 0 ? Optional.empty() : Optional.of(entries[entries.length - 1].place());
    return new StreamLog(LOG, List.of(entries), List.of(), head, true, true);
  }
}
