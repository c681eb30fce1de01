package org.stellaops.backup.internal.repository;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.RunRecord;
import org.stellaops.backup.model.RunRecord.State;
import org.stellaops.backup.model.Slot;
import org.stellaops.backup.model.SourceName;

/**
 * The runs of one writer, as its log tells them: the first entry that ends a run is how it ended,
 * and of two claims of a slot the one that stands first counts. Pure.
 */
public final class RunLog {
  private final List<Known> runs;
  private final Map<String, List<Entry>> progress;
  private final List<Finding> damage;

  private RunLog(List<Known> runs, Map<String, List<Entry>> progress, List<Finding> damage) {
    this.runs = List.copyOf(runs);
    this.progress = progress;
    this.damage = List.copyOf(damage);
  }

  /**
   * A run and where it stands.
   *
   * @param record for callers
   * @param entry what it said when it began
   * @param sequence its place in the log
   */
  public record Known(RunRecord record, RunEntry entry, long sequence) {}

  /** How a run ended. */
  private record End(State state, Instant time, Optional<String> failure) {}

  /**
   * What a log says.
   *
   * @param isPinned whether the reader said whose signatures count; then no other counts
   */
  public static RunLog of(LogView log, boolean isPinned) {
    Map<String, End> ends = new LinkedHashMap<>();
    List<Finding> damage = new ArrayList<>();
    List<Standing> begins = new ArrayList<>();
    Map<String, List<Entry>> progress = new HashMap<>();
    for (Standing standing : log.entries()) {
      Entry entry = standing.entry();
      if (isPinned && !standing.isTrusted()) {
        continue;
      }
      if (RunEntry.isRun(entry)) {
        begins.add(standing);
      } else if (entry.kind().equals(RunEntry.PROGRESS)) {
        RunEntry.runOf(entry)
            .ifPresent(run -> progress.computeIfAbsent(run, r -> new ArrayList<>()).add(entry));
      } else if (RunEntry.isEnd(entry) || SnapshotEntry.isSnapshot(entry)) {
        RunEntry.runOf(entry).ifPresent(run -> ends.putIfAbsent(run, end(entry)));
      }
    }
    List<Known> runs = new ArrayList<>();
    for (Standing begin : begins) {
      Entry entry = begin.entry();
      try {
        RunEntry run = RunEntry.of(entry);
        runs.add(new Known(record(entry, run, ends.get(run.run().value())), run, entry.sequence()));
      } catch (BackupException e) {
        damage.add(new Finding(e.code(), entry.objectName(), e.detail()));
      }
    }
    return new RunLog(runs, progress, damage);
  }

  private static End end(Entry entry) {
    return switch (entry.kind()) {
      case RunEntry.FAILED -> new End(State.FAILED, entry.time(), entry.field("code"));
      case RunEntry.ABANDON -> new End(State.ABANDONED, entry.time(), Optional.empty());
      default -> new End(State.COMMITTED, entry.time(), Optional.empty());
    };
  }

  private static RunRecord record(Entry entry, RunEntry run, @Nullable End end) {
    return new RunRecord(
        run.run(),
        entry.log(),
        run.plan(),
        run.slot(),
        run.instance(),
        run.attempt(),
        run.retries(),
        run.lease(),
        end == null ? State.RUNNING : end.state(),
        entry.time(),
        end == null ? Optional.empty() : Optional.of(end.time()),
        end == null ? Optional.empty() : end.failure());
  }

  /** All of them, oldest first. */
  public List<Known> all() {
    return runs;
  }

  /** What cannot be read. */
  public List<Finding> damage() {
    return damage;
  }

  /** The run of this id. */
  public Optional<Known> find(RunId run) {
    return runs.stream().filter(r -> r.record().run().equals(run)).findFirst();
  }

  /** Those of a plan that have not ended, oldest first. */
  public List<Known> open(String plan) {
    return runs.stream()
        .filter(r -> r.record().isOpen() && r.record().plan().equals(plan))
        .toList();
  }

  /** Those that claimed a slot of a plan, oldest first. */
  public List<Known> of(String plan, Slot slot) {
    return runs.stream()
        .filter(r -> r.record().plan().equals(plan) && r.record().slot().equals(Optional.of(slot)))
        .toList();
  }

  /**
   * The parts of the index that were told by the runs of a plan that ended without a snapshot since
   * the last one that made one, as far as they belong to this epoch.
   */
  public List<StateRef> leftBehind(String plan, Epoch epoch) throws BackupException {
    List<StateRef> parts = new ArrayList<>();
    for (Entry entry : told(plan, epoch)) {
      state(entry).stream().filter(StateRef.Index.class::isInstance).forEach(parts::add);
    }
    return parts;
  }

  /**
   * A source that such a run captured whole.
   *
   * @param run that did
   * @param object in the form of a manifest with this one source
   * @param state what is remembered of it
   */
  public record Whole(RunId run, SourceName source, ObjectRef object, List<StateRef> state) {
    public Whole {
      state = List.copyOf(state);
    }
  }

  /** The sources that such runs captured whole, newest first. */
  public List<Whole> wholes(String plan, Epoch epoch) throws BackupException {
    List<Whole> wholes = new ArrayList<>();
    for (Entry entry : told(plan, epoch)) {
      for (String field : entry.fields(RunEntry.WHOLE)) {
        RunEntry.WholeSource whole = RunEntry.WholeSource.parse(field);
        RunId run = new RunId(RunEntry.runOf(entry).orElseThrow());
        wholes.add(new Whole(run, whole.source(), whole.object(), state(entry)));
      }
    }
    return wholes;
  }

  private static List<StateRef> state(Entry entry) throws BackupException {
    List<StateRef> state = new ArrayList<>();
    for (String field : entry.fields("state")) {
      state.add(StateRef.parse(field));
    }
    return state;
  }

  /** Newest first. */
  private List<Entry> told(String plan, Epoch epoch) {
    List<Entry> told = new ArrayList<>();
    for (int i = runs.size() - 1; i >= 0; i--) {
      RunRecord run = runs.get(i).record();
      if (!run.plan().equals(plan)) {
        continue;
      }
      if (run.state() == State.COMMITTED) {
        break;
      }
      if (!run.isOpen()) {
        List<Entry> own = progress.getOrDefault(run.run().value(), List.of());
        for (int j = own.size() - 1; j >= 0; j--) {
          Entry entry = own.get(j);
          if (RunEntry.isProgressOf(entry, epoch)) {
            told.add(entry);
          }
        }
      }
    }
    return told;
  }

  /**
   * Makes sure that nobody ended this run: the fence.
   *
   * @throws BackupException.Stopped FENCED
   */
  public void requireOpen(RunId run) throws BackupException.Stopped {
    Optional<Known> known = find(run);
    if (known.isPresent() && known.get().record().state() == State.ABANDONED) {
      throw new BackupException.Stopped(
          CoreFailure.FENCED,
          "run %s was silent for longer than its lease of %s and was ended at %s; nothing of it was committed"
              .formatted(run, known.get().record().lease(), known.get().record().ended().get()));
    }
  }
}
