package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionEntry;
import org.stellaops.backup.internal.repository.RetentionEntry.Doom;
import org.stellaops.backup.internal.repository.RetentionEntry.EntryRef;
import org.stellaops.backup.internal.repository.RetentionEntry.Released;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecallReport;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Takes back that a snapshot was let go, with everything that it takes to restore it: what it
 * builds on, and the recorded history behind it as far as that is not swept. Whether a capture
 * brings along itself what it needs of a history is sealed, so that nobody without an identity can
 * tell; what is gone of it is therefore told, and no reason to let the rest go, too. One thread.
 */
final class RecallRun {
  private static final Logger LOG = LoggerFactory.getLogger(RecallRun.class);

  private final Context context;
  private final Repository repository;
  private final WriterKeys keys;

  /** Everything stays the caller's. */
  RecallRun(Context context, Repository repository, WriterKeys keys) {
    this.context = context;
    this.repository = repository;
    this.keys = keys;
  }

  /** What is taken back with it. */
  private record Recalled(
      SnapshotList.Known snapshot, List<Long> entries, List<Released> releasedAgain) {}

  /** What it would bring back. Stores nothing. */
  RecallReport plan(SnapshotId id) throws IOException {
    // Who may not write is told so now.
    RetentionWriter retention = new RetentionWriter(context, repository, keys);
    return report(recalled(id, retention.current()).snapshot());
  }

  /** Takes it back. */
  RecallReport execute(SnapshotId id, String reason, String actor) throws IOException {
    RetentionWriter retention = new RetentionWriter(context, repository, keys);
    Recalled recalled = recalled(id, retention.current());
    // These first: what comes between leaves them let go twice, and not listed though they are.
    for (RetentionEntry.Retire others : RetentionEntry.Retire.of(recalled.releasedAgain())) {
      retention.commit(others);
    }
    retention.commit(new RetentionEntry.Recall(recalled.entries(), reason, actor));
    // Only now nobody leaves anything of it out any more: a merge may have done so meanwhile.
    return looked(recalled.snapshot());
  }

  /** It is taken back, whether or not anybody can look. */
  private RecallReport looked(SnapshotList.Known snapshot) {
    try {
      return report(snapshot);
    } catch (IOException e) {
      return new RecallReport(
          snapshot.summary().id(),
          sources(snapshot),
          List.of(PruneRun.problemOf(snapshot.summary().name().value(), e)));
    }
  }

  private static List<SourceName> sources(SnapshotList.Known snapshot) {
    return List.copyOf(new TreeSet<>(snapshot.summary().retired().keySet()));
  }

  private Recalled recalled(SnapshotId id, RetentionLog said) throws IOException {
    SnapshotList.Known snapshot = letGo(id);
    requireNotSwept(snapshot, said.isSwept(snapshot.entry().manifest()));
    for (SnapshotEntry.Part part : snapshot.entry().parts()) {
      for (ObjectRef packs : part.lists()) {
        requireNotSwept(snapshot, said.isSwept(packs));
      }
    }
    List<Long> entries = new ArrayList<>(said.retirements(ref(snapshot)));
    entries.addAll(dooms(snapshot, said));
    return new Recalled(
        snapshot, entries.stream().sorted().toList(), said.releasedWith(ref(snapshot)));
  }

  private SnapshotList.Known letGo(SnapshotId id) throws IOException {
    SnapshotList list = SnapshotList.read(repository);
    List<SnapshotList.Known> all = new ArrayList<>(list.believed());
    all.addAll(list.retired());
    return all.stream()
        .filter(k -> k.summary().id().equals(id) && !k.summary().retired().isEmpty())
        .findFirst()
        .orElseThrow(
            () ->
                new BackupException.Refused(
                    CoreFailure.NOT_FOUND, "no snapshot " + id + " was retired"));
  }

  private static EntryRef ref(SnapshotList.Known known) {
    return new EntryRef(
        known.summary().writer(), known.summary().sequence(), known.summary().entry());
  }

  private static void requireNotSwept(SnapshotList.Known snapshot, boolean isSwept)
      throws BackupException.Refused {
    if (isSwept) {
      throw new BackupException.Refused(
          CoreFailure.RETIRED,
          "snapshot %s cannot be recalled: it was swept".formatted(snapshot.summary().name()));
    }
  }

  /** The dooms of anything that it needs. */
  private List<Long> dooms(SnapshotList.Known snapshot, RetentionLog said) throws IOException {
    DigestSet own = own(snapshot, said);
    DigestSet history = new DigestSet(repository.scratch());
    Set<String> recorders = history(snapshot, said, history);
    history.settle();
    List<Long> dooms = new ArrayList<>();
    for (Map.Entry<Long, Doom> doom : said.dooms().entrySet()) {
      String writer = doom.getValue().writer();
      if (writer.equals(snapshot.summary().writer()) && names(said, doom.getValue(), own)) {
        requireNotSwept(snapshot, said.isSwept(doom.getKey()));
        dooms.add(doom.getKey());
      } else if (recorders.contains(writer)
          && !said.isSwept(doom.getKey())
          && mayName(said, doom.getValue(), history)) {
        dooms.add(doom.getKey());
      }
    }
    return dooms;
  }

  private DigestSet own(SnapshotList.Known snapshot, RetentionLog said) throws IOException {
    DigestSet own = new DigestSet(repository.scratch());
    Garbage.closure(
        repository.store(),
        snapshot.log(),
        snapshot.entry().id(),
        said,
        object -> own.put(object.stored()));
    return own.settle();
  }

  /**
   * Adds the slices that have to stay from now on; nobody has to tell whose history it is that he
   * records, so of whichever writer they are.
   *
   * @return the writers that recorded them
   */
  private Set<String> history(SnapshotList.Known snapshot, RetentionLog said, DigestSet slices)
      throws IOException {
    Map<String, Long> floors = Garbage.floors(snapshot.log(), snapshot.entry().id(), said);
    Set<String> writers = new HashSet<>();
    for (String log : floors.isEmpty() ? List.<String>of() : repository.logs()) {
      if (Names.isStream(log)) {
        for (StreamEntry.Slice slice : repository.stream(log).slices()) {
          if (Garbage.isBehind(slice.span().to(), floors)) {
            slices.put(slice.object().stored());
            writers.add(slice.object().writer());
          }
        }
      }
    }
    return writers;
  }

  /** What a list says that cannot be read nobody knows: it is taken back, which keeps more. */
  private static boolean mayName(RetentionLog said, Doom doom, DigestSet needed) {
    try {
      return names(said, doom, needed);
    } catch (IOException e) {
      LOG.warn("{} is taken back unread: {}", doom.list(), e.getMessage());
      return true;
    }
  }

  private static boolean names(RetentionLog said, Doom doom, DigestSet needed) throws IOException {
    boolean[] isNamed = {false};
    said.objects(doom, object -> isNamed[0] = isNamed[0] || needed.contains(object.stored()));
    return isNamed[0];
  }

  private RecallReport report(SnapshotList.Known snapshot) throws IOException {
    List<SourceName> sources = sources(snapshot);
    Streams streams = Streams.now(repository);
    List<Finding> findings = new ArrayList<>();
    for (SnapshotEntry.Part part : snapshot.entry().parts()) {
      if (sources.contains(part.header().source())) {
        lost(snapshot, part.header(), streams).ifPresent(findings::add);
      }
    }
    return new RecallReport(snapshot.summary().id(), sources, findings);
  }

  /** What of the history that a capture needs is not there; nothing where none was recorded. */
  private static Optional<Finding> lost(
      SnapshotList.Known snapshot, CaptureHeader capture, Streams streams) {
    Optional<CaptureSpan> span = capture.span();
    Optional<Coverage> recorded =
        span.flatMap(s -> streams.of(s.start().lineage())).flatMap(StreamLog::coverage);
    if (recorded.isEmpty() || holds(recorded.get(), span.get())) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            CoreFailure.HISTORY_GONE,
            snapshot.summary().name() + "/" + capture.source(),
            "needs %s to %s of stream %s to be consistent, unless it brings that along; there is %s"
                .formatted(
                    span.get().start(),
                    span.get().end(),
                    recorded.get().stream(),
                    recorded.get().ranges())));
  }

  private static boolean holds(Coverage recorded, CaptureSpan span) {
    return recorded.ranges().stream().anyMatch(range -> holds(range, span));
  }

  private static boolean holds(SliceSpan range, CaptureSpan span) {
    return range.from().branch() == span.start().branch()
        && Long.compareUnsigned(range.from().offset(), span.start().offset()) <= 0
        && Long.compareUnsigned(span.end().offset(), range.to().offset()) <= 0;
  }
}
