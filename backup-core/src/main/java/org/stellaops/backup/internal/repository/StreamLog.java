package org.stellaops.backup.internal.repository;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Finding;
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
 */
public record StreamLog(
    String log,
    List<Standing> entries,
    List<Finding> damage,
    Optional<Head> head,
    boolean isHeadSound,
    boolean isTrusted) {
  public StreamLog {
    entries = List.copyOf(entries);
    damage = List.copyOf(damage);
  }

  /** An entry and where it stands. */
  public record Standing(Head place, StreamEntry entry) {}

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

  /** What is recorded; empty for an empty log. */
  public Optional<Coverage> coverage() {
    List<StreamGap> gaps = new ArrayList<>();
    List<StreamMark> marks = new ArrayList<>();
    entries.forEach(
        e -> {
          gaps.addAll(e.entry().gaps());
          marks.addAll(e.entry().marks());
        });
    return about()
        .map(
            about ->
                new Coverage(
                    log,
                    about.stream(),
                    about.kind(),
                    about.lineage(),
                    slices().stream().map(StreamEntry.Slice::span).toList(),
                    gaps,
                    marks));
  }
}
