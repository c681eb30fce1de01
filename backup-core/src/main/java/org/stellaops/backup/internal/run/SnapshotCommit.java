package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.IndexEntry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Manifest;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.RunLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SnapshotName;

/**
 * Makes a snapshot of what was captured: stores what its entry names, then commits the entry. Until
 * that is in its slot there is no snapshot.
 */
final class SnapshotCommit {
  private final Attempt attempt;
  private final Epoch epoch;
  private final ChunkIndex index;
  private final RunFindings findings;
  private final List<Captured> captures;

  /**
   * @param index knows the packs of the captures by name
   */
  SnapshotCommit(
      Attempt attempt,
      Epoch epoch,
      ChunkIndex index,
      RunFindings findings,
      List<Captured> captures) {
    this.attempt = attempt;
    this.epoch = epoch;
    this.index = index;
    this.findings = findings;
    this.captures = captures;
  }

  /**
   * Commits. Another engine of this writer may have been first: then its state and ours are both
   * named, and packs and lists stay as they are.
   *
   * @param state stored already
   */
  SnapshotEntry under(SnapshotName name, StateUpdate state) throws IOException {
    List<SnapshotEntry.Part> parts = storeLists();
    ObjectRef manifest = storeManifest(name);
    attempt.stopping().check();
    Entry committed =
        attempt
            .repository()
            .commit(
                attempt.writer(),
                attempt.keys(),
                attempt.context().random(),
                now -> {
                  RunLog.of(now, attempt.repository().isPinned()).requireOpen(attempt.run());
                  SnapshotName free = freeName(attempt, now);
                  ObjectRef named = free.equals(name) ? manifest : storeManifest(free);
                  List<StateRef> joined = state.joinedTo(newestState(now, epoch));
                  Entry.Draft draft = entry(free, named, joined, parts).draft(epoch);
                  captures.forEach(c -> draft.needs(packs(c)));
                  return Optional.of(draft);
                })
            .orElseThrow();
    return SnapshotEntry.of(committed);
  }

  private SnapshotEntry entry(
      SnapshotName name, ObjectRef manifest, List<StateRef> state, List<SnapshotEntry.Part> parts) {
    return new SnapshotEntry(
        attempt.snapshot(),
        name,
        attempt.plan().name(),
        attempt.began(),
        findings.outcome(),
        planned(),
        SnapshotEntry.keysOf(epoch),
        manifest,
        state,
        parts);
  }

  private SortedMap<Component, Integer> planned() {
    SortedMap<Component, Integer> planned = new TreeMap<>();
    attempt.plan().sources().forEach(s -> planned.merge(s.component(), 1, Integer::sum));
    return planned;
  }

  private List<SnapshotEntry.Part> storeLists() throws IOException {
    DigestSet doomed = attempt.repository().retention().doomed(attempt.writer());
    PackLists lists =
        new PackLists(attempt.store(), attempt.writer(), l -> doomed.contains(l.stored()));
    List<SnapshotEntry.Part> parts = new ArrayList<>();
    for (Captured capture : captures) {
      List<ObjectRef> written = lists.write(packs(capture));
      parts.add(new SnapshotEntry.Part(capture.result().header(), written));
    }
    return parts;
  }

  /** Named one after the other: names of all packs of a large snapshot would fill the memory. */
  private Iterable<ObjectRef> packs(Captured capture) {
    BitSet packs = capture.packs();
    return () -> packs.stream().mapToObj(index::pack).iterator();
  }

  private ObjectRef storeManifest(SnapshotName name) throws IOException {
    try (SealedSpool spool =
        new SealedSpool(attempt.context().workspace(), List.of(epoch.recipient()))) {
      Manifest.Writer writer = new Manifest.Writer(spool.plain(), index::pack);
      writer.header(header(name));
      for (Captured capture : captures) {
        writer.source(capture.result());
      }
      for (Captured capture : captures) {
        for (Map.Entry<ArtifactName, Runs> runs : capture.runs().entrySet()) {
          writer.runs(capture.source(), runs.getKey(), runs.getValue());
        }
      }
      return attempt.store().putManifest(attempt.writer(), spool.finish());
    }
  }

  private Manifest.Header header(SnapshotName name) {
    return new Manifest.Header(
        attempt.snapshot(),
        name.value(),
        attempt.plan().name(),
        attempt.writer(),
        attempt.began(),
        findings.outcome(),
        library(),
        findings.all().stream().map(Finding::toString).toList());
  }

  private static String library() {
    String version = SnapshotCommit.class.getPackage().getImplementationVersion();
    return version == null ? "unreleased" : version;
  }

  /**
   * The writer's state as the newest snapshot of this epoch, or the newest word of it, names it.
   * That of another epoch is no use: whoever opens this epoch need not be able to open its packs.
   */
  static List<StateRef> newestState(LogView log, Epoch epoch) throws BackupException {
    for (int i = log.entries().size() - 1; i >= 0; i--) {
      Entry entry = log.entries().get(i).entry();
      if (SnapshotEntry.isSnapshot(entry) && SnapshotEntry.of(entry).isOf(epoch)) {
        return SnapshotEntry.of(entry).state();
      }
      if (IndexEntry.isIndex(entry) && IndexEntry.epochOf(entry).equals(epoch.id())) {
        return IndexEntry.state(entry);
      }
    }
    return List.of();
  }

  /**
   * The name that was asked for, which must be free; or else one made of the time, numbered where
   * two runs began in the same second.
   */
  static SnapshotName freeName(Attempt attempt, LogView log) throws BackupException {
    Map<SnapshotName, Instant> taken = taken(log);
    Optional<SnapshotName> wanted = attempt.request().name();
    if (wanted.isPresent()) {
      Instant other = taken.get(wanted.get());
      if (other != null) {
        throw new BackupException.Refused(
            CoreFailure.NAME_CONFLICT,
            "there is a snapshot called %s of %s already".formatted(wanted.get(), other));
      }
      return wanted.get();
    }
    SnapshotName first = SnapshotName.at(attempt.plan().name(), attempt.began());
    SnapshotName name = first;
    for (int number = 2; taken.containsKey(name); number++) {
      name = SnapshotName.of(first + "-" + number);
    }
    return name;
  }

  private static Map<SnapshotName, Instant> taken(LogView log) throws BackupException {
    Map<SnapshotName, Instant> names = new HashMap<>();
    for (LogView.Standing standing : log.entries()) {
      if (SnapshotEntry.isSnapshot(standing.entry())) {
        names.put(SnapshotEntry.of(standing.entry()).name(), standing.entry().time());
      }
    }
    return names;
  }
}
