package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SlotRange;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;

/**
 * What a stream's log holds, as far as it can be believed, without the entries whose place others
 * have taken.
 *
 * @param log its name
 * @param entries oldest first
 * @param damage everything that is not as it should be
 * @param head the newest slot that was looked at; empty for an empty log
 * @param isHeadSound whether the entry in that slot is among {@code entries}
 * @param isTrusted whether a key that is pinned for this log signed every entry
 * @param lost objects that entries name and the store does not have, as far as anybody looked
 * @param notHeld slots that a copy does not hold; none in a primary
 */
public record StreamLog(
    String log,
    List<Standing> entries,
    List<Finding> damage,
    Optional<Head> head,
    boolean isHeadSound,
    boolean isTrusted,
    Set<ObjectRef> lost,
    List<SlotRange> notHeld) {
  public StreamLog {
    entries = List.copyOf(entries);
    damage = List.copyOf(damage);
    lost = Set.copyOf(lost);
    notHeld = List.copyOf(notHeld);
  }

  /** A log whose objects nobody looked for. */
  public StreamLog(
      String log,
      List<Standing> entries,
      List<Finding> damage,
      Optional<Head> head,
      boolean isHeadSound,
      boolean isTrusted) {
    this(log, entries, damage, head, isHeadSound, isTrusted, Set.of(), List.of());
  }

  /** The same log, whose slices are recorded only where their objects are among these. */
  public StreamLog heldBy(IoPredicate<ObjectRef> there) throws IOException {
    Set<ObjectRef> missing = new LinkedHashSet<>();
    for (StreamEntry.Slice slice : slices()) {
      if (!there.test(slice.object())) {
        missing.add(slice.object());
      }
    }
    return new StreamLog(log, entries, damage, head, isHeadSound, isTrusted, missing, notHeld);
  }

  /**
   * An entry and where it stands.
   *
   * @param signed when, and what its writer knew then
   */
  public record Standing(Head place, StreamEntry entry, Signed signed) {}

  /**
   * What an entry says of its writer.
   *
   * @param time by its clock
   * @param seen newest entry of the retention log that it had read
   * @param previous digest of what stands in the slot below it
   */
  public record Signed(Instant time, Optional<Head> seen, Optional<Digest> previous) {
    /** Of this entry. */
    public static Signed of(Entry entry) {
      return new Signed(entry.time(), entry.seen(), entry.previous());
    }
  }

  /** What the newest entry says that its writer had read of the retention log. */
  public Optional<Head> seen() {
    return entries.isEmpty() ? Optional.empty() : entries.get(entries.size() - 1).signed().seen();
  }

  /** The same log without the slices whose objects are meant. */
  public StreamLog without(IoPredicate<ObjectRef> objects) throws IOException {
    List<Standing> left = new ArrayList<>();
    for (Standing standing : entries) {
      left.add(
          new Standing(standing.place(), standing.entry().without(objects), standing.signed()));
    }
    return withEntries(left);
  }

  /** The same log with what is left of its entries. */
  public StreamLog withEntries(List<Standing> left) {
    return new StreamLog(log, left, damage, head, isHeadSound, isTrusted, lost, notHeld);
  }

  /** What the newest entry says of the whole stream; empty for an empty log. */
  public Optional<StreamEntry.About> about() {
    return entries.isEmpty()
        ? Optional.empty()
        : Optional.of(entries.get(entries.size() - 1).entry().about());
  }

  /** Every slice, in the order of recording. */
  public List<StreamEntry.Slice> slices() {
    List<StreamEntry.Slice> slices = new ArrayList<>();
    entries.forEach(e -> slices.addAll(e.entry().slices()));
    return slices;
  }

  /** Every small file, by name. */
  public Map<String, StreamEntry.Companion> companions() {
    Map<String, StreamEntry.Companion> companions = new LinkedHashMap<>();
    entries.forEach(e -> e.entry().companions().forEach(c -> companions.put(c.name(), c)));
    return companions;
  }

  /** Sealed keys of epochs, {@code <epoch> <base64>}. */
  public Set<String> keys() {
    Set<String> keys = new LinkedHashSet<>();
    entries.forEach(e -> keys.addAll(e.entry().about().keys()));
    return keys;
  }

  /** What is recorded and still there; empty for an empty log. */
  public Optional<Coverage> coverage() {
    List<StreamGap> gaps = new ArrayList<>();
    List<StreamMark> marks = new ArrayList<>();
    entries.forEach(
        e -> {
          gaps.addAll(e.entry().gaps());
          marks.addAll(e.entry().marks());
        });
    List<SliceSpan> held = new ArrayList<>();
    for (StreamEntry.Slice slice : slices()) {
      if (lost.contains(slice.object())) {
        gaps.add(gap(slice));
      } else {
        held.add(slice.span());
      }
    }
    return about()
        .map(
            about ->
                new Coverage(
                    log, about.stream(), about.kind(), about.lineage(), held, gaps, marks));
  }

  private static StreamGap gap(StreamEntry.Slice slice) {
    return new StreamGap(
        slice.span().from(),
        slice.span().to(),
        "it was recorded, and %s is lost".formatted(slice.object()));
  }
}
