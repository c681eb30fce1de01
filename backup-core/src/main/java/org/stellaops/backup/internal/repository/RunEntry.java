package org.stellaops.backup.internal.repository;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.Slot;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SourceName;

/**
 * What a run says of itself before it captures. Byte by byte in {@code docs/format/run.md}.
 *
 * @param run which one
 * @param plan name of the plan
 * @param slot of the schedule, claimed by this entry
 * @param instance that makes it: {@code [A-Za-z0-9._-]{1,120}}
 * @param attempt from 1
 * @param retries the run that it is another attempt of
 * @param lease in whole seconds
 * @param request what it was asked for, so that it can be asked for again
 */
public record RunEntry(
    RunId run,
    String plan,
    Optional<Slot> slot,
    String instance,
    int attempt,
    Optional<RunId> retries,
    Duration lease,
    Request request) {
  static final String KIND = "run";
  static final String FAILED = "failed";
  static final String ABANDON = "abandon";
  static final String PROGRESS = "progress";
  static final String WHOLE = "whole";
  private static final String RUN_FIELD = "run";

  /**
   * What a run was asked for.
   *
   * @param kind whether captures stand alone
   * @param only sources and components; empty means everything
   * @param name the snapshot's, if one was asked for
   */
  public record Request(CaptureKind kind, List<String> only, Optional<SnapshotName> name) {
    public Request {
      only = List.copyOf(only);
    }
  }

  /**
   * A source that a run captured whole.
   *
   * @param object in the form of a manifest with this one source
   */
  public record WholeSource(SourceName source, ObjectRef object) {
    static WholeSource parse(String text) throws BackupException {
      int space = text.indexOf(' ');
      if (space < 0) {
        throw new BackupException.Corrupt(
            CoreFailure.MALFORMED, "no source captured whole: " + Names.printable(text));
      }
      try {
        return new WholeSource(
            SourceName.of(text.substring(0, space)), ObjectRef.parse(text.substring(space + 1)));
      } catch (IllegalArgumentException e) {
        throw new BackupException.Corrupt(
            CoreFailure.MALFORMED, "no source captured whole: " + Names.printable(text));
      }
    }
  }

  /** Whether it is the entry with which a run begins. */
  public static boolean isRun(Entry entry) {
    return entry.kind().equals(KIND);
  }

  /** Whether it says what of a run is durable, all of it in this epoch. */
  public static boolean isProgressOf(Entry entry, Epoch epoch) {
    return entry.kind().equals(PROGRESS)
        && entry.required().isEmpty()
        && entry.fields("epochs").equals(List.of(epoch.id()));
  }

  /** Whether it ends a run without a snapshot. */
  static boolean isEnd(Entry entry) {
    return entry.kind().equals(FAILED) || entry.kind().equals(ABANDON);
  }

  /** The run that an entry speaks of. */
  static Optional<String> runOf(Entry entry) {
    return SnapshotEntry.isSnapshot(entry) ? entry.field("snapshot") : entry.field(RUN_FIELD);
  }

  /**
   * Reads the entry.
   *
   * @throws BackupException.Corrupt UNSUPPORTED_FORMAT if it needs a feature that this version does
   *     not have; MALFORMED
   */
  public static RunEntry of(Entry entry) throws BackupException {
    if (!entry.required().isEmpty()) {
      throw new BackupException.Corrupt(
          CoreFailure.UNSUPPORTED_FORMAT, "%s needs %s".formatted(entry, entry.required()));
    }
    try {
      return new RunEntry(
          new RunId(text(entry, RUN_FIELD)),
          text(entry, "plan"),
          slot(entry),
          SnapshotName.of(text(entry, "instance")).value(),
          positive(text(entry, "attempt")),
          entry.field("retries").map(RunId::new),
          Duration.ofSeconds(positive(text(entry, "lease"))),
          new Request(
              CaptureKind.valueOf(text(entry, "captures").toUpperCase(Locale.ROOT)),
              new ArrayList<>(entry.fields("only")),
              entry.field("name").map(SnapshotName::of)));
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s cannot be read: %s"
              .formatted(entry, Names.printable(String.valueOf(e.getMessage()))));
    }
  }

  private static String text(Entry entry, String field) {
    return entry
        .field(field)
        .orElseThrow(() -> new IllegalArgumentException("it has no field '" + field + "'"));
  }

  private static int positive(String text) {
    int number = Integer.parseInt(text);
    if (number < 1) {
      throw new IllegalArgumentException("at least 1: " + text);
    }
    return number;
  }

  /** {@code <plan>/<instant>}: the plan is the entry's own. */
  private static Optional<Slot> slot(Entry entry) {
    Optional<String> field = entry.field("slot");
    if (field.isEmpty()) {
      return Optional.empty();
    }
    String plan = text(entry, "plan") + "/";
    if (!field.get().startsWith(plan)) {
      throw new IllegalArgumentException("a slot of another plan: " + field.get());
    }
    return Optional.of(new Slot(Instant.parse(field.get().substring(plan.length()))));
  }

  /** The draft of such an entry. */
  public Entry.Draft draft() {
    Entry.Draft draft = new Entry.Draft(KIND).field(RUN_FIELD, run.value()).field("plan", plan);
    slot.ifPresent(s -> draft.field("slot", plan + "/" + s));
    draft
        .field("instance", instance)
        .field("attempt", Integer.toString(attempt))
        .field("lease", Long.toString(lease.toSeconds()));
    retries.ifPresent(r -> draft.field("retries", r.value()));
    draft.field("captures", request.kind().name().toLowerCase(Locale.ROOT));
    request.only().forEach(o -> draft.field("only", o));
    request.name().ifPresent(n -> draft.field("name", n.value()));
    return draft;
  }

  /** The draft of the entry with which a run says that there will be no snapshot of it. */
  public static Entry.Draft failed(RunId run, String code) {
    return new Entry.Draft(FAILED).field(RUN_FIELD, run.value()).field("code", code);
  }

  /**
   * The draft of an entry that says what of a run is durable.
   *
   * @param state parts of the index
   * @param lists of the packs, so that they are needed as long as the run goes on
   * @param whole a source that was captured whole, and what says so
   */
  public static Entry.Draft progress(
      RunId run,
      Epoch epoch,
      List<StateRef> state,
      List<ObjectRef> lists,
      Iterable<ObjectRef> packs,
      Optional<WholeSource> whole) {
    Entry.Draft draft =
        new Entry.Draft(PROGRESS).field(RUN_FIELD, run.value()).field("epochs", epoch.id());
    state.forEach(ref -> draft.field("state", ref.text()).line(ref.object()));
    lists.forEach(draft::line);
    draft.needs(packs);
    whole.ifPresent(w -> draft.field(WHOLE, w.source() + " " + w.object()).line(w.object()));
    return draft;
  }

  /** The draft of the entry with which another run ends one that was silent. */
  public static Entry.Draft abandon(RunId run, RunId by) {
    return new Entry.Draft(ABANDON).field(RUN_FIELD, run.value()).field("by", by.value());
  }
}
