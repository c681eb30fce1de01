package org.stellaops.backup.internal.repository;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;

/**
 * What the entry of a snapshot says in clear.
 *
 * @param id of the snapshot
 * @param name for humans
 * @param plan name of the plan
 * @param time when the run began
 * @param outcome of the run
 * @param planned how many sources of each component the plan has; with fewer parts it is not the
 *     whole system
 * @param keys sealed private halves of the epochs
 * @param manifest sealed table of contents
 * @param state the writer's own state after this run
 * @param parts one per captured source
 */
public record SnapshotEntry(
    SnapshotId id,
    SnapshotName name,
    String plan,
    Instant time,
    Outcome outcome,
    SortedMap<Component, Integer> planned,
    List<String> keys,
    ObjectRef manifest,
    List<StateRef> state,
    List<Part> parts) {
  static final String KIND = "snapshot";
  private static final Set<String> UNDERSTOOD = Set.of();
  private static final int SPAN_WORDS = 5;

  public SnapshotEntry {
    planned = Collections.unmodifiableSortedMap(new TreeMap<>(planned));
    keys = List.copyOf(keys);
    state = List.copyOf(state);
    parts = List.copyOf(parts);
  }

  /**
   * One captured source with the lists of the packs it needs.
   *
   * @param header readable without a key
   * @param lists in pack creation order
   */
  public record Part(CaptureHeader header, List<ObjectRef> lists) {
    public Part {
      lists = List.copyOf(lists);
    }
  }

  /** Ids of the epochs that it is encrypted to. */
  public SortedSet<String> epochs() {
    SortedSet<String> epochs = new TreeSet<>();
    keys.forEach(k -> epochs.add(k.substring(0, Math.max(0, k.indexOf(' ')))));
    return epochs;
  }

  /** Whether everything it needs is encrypted to this epoch. */
  public boolean isOf(Epoch epoch) {
    return !keys.isEmpty() && keys.stream().allMatch(k -> k.startsWith(epoch.id() + " "));
  }

  /** Whether the entry is of a snapshot. */
  public static boolean isSnapshot(Entry entry) {
    return entry.kind().equals(KIND);
  }

  /**
   * What a list of snapshots shows of one, without the objects that it names.
   *
   * @param captures one per captured source
   */
  public record Outline(
      SnapshotId id,
      SnapshotName name,
      String plan,
      Instant time,
      Outcome outcome,
      SortedMap<Component, Integer> planned,
      List<CaptureHeader> captures) {}

  /** Whether all of it can be read, if it is of a snapshot, so that it need not be tried again. */
  static boolean isReadable(Entry entry) {
    try {
      if (isSnapshot(entry)) {
        of(entry);
        entry.markReadable();
      }
      return true;
    } catch (BackupException e) {
      return false;
    }
  }

  /**
   * Reads what a list shows, once it is certain that the rest can be read.
   *
   * @throws BackupException.Corrupt as {@link #of}
   */
  public static Outline outline(Entry entry) throws BackupException {
    if (!entry.isReadable()) {
      of(entry);
      entry.markReadable();
    }
    return reading(entry, () -> outlined(entry));
  }

  private static Outline outlined(Entry entry) throws BackupException {
    SnapshotId id = new SnapshotId(text(entry, "snapshot"));
    List<CaptureHeader> captures = new ArrayList<>();
    for (String field : entry.fields("component")) {
      captures.add(header(field, id, entry.sequence()));
    }
    return new Outline(
        id,
        SnapshotName.of(text(entry, "name")),
        text(entry, "plan"),
        Instants.parse(text(entry, "taken")),
        outcome(text(entry, "outcome")),
        planned(entry, captures),
        List.copyOf(captures));
  }

  /**
   * Reads the entry.
   *
   * @throws BackupException.Corrupt UNSUPPORTED_FORMAT if it needs a feature that this version does
   *     not have
   */
  public static SnapshotEntry of(Entry entry) throws BackupException {
    for (String feature : entry.required()) {
      if (!UNDERSTOOD.contains(feature)) {
        throw new BackupException.Corrupt(
            CoreFailure.UNSUPPORTED_FORMAT, "%s needs the feature '%s'".formatted(entry, feature));
      }
    }
    return reading(
        entry,
        () -> {
          Outline outline = outlined(entry);
          return new SnapshotEntry(
              outline.id(),
              outline.name(),
              outline.plan(),
              outline.time(),
              outline.outcome(),
              outline.planned(),
              entry.fields("key"),
              manifest(entry),
              state(entry),
              parts(entry, outline.captures()));
        });
  }

  @FunctionalInterface
  private interface Reading<T> {
    T read() throws BackupException;
  }

  private static <T> T reading(Entry entry, Reading<T> reading) throws BackupException {
    try {
      return reading.read();
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s cannot be read: %s"
              .formatted(entry, Names.printable(String.valueOf(e.getMessage()))));
    }
  }

  private static String text(Entry entry, String field) throws BackupException {
    return entry
        .field(field)
        .orElseThrow(
            () ->
                new BackupException.Corrupt(
                    CoreFailure.MALFORMED, "%s has no field '%s'".formatted(entry, field)));
  }

  private static Outcome outcome(String text) {
    return Outcome.valueOf(text.toUpperCase(Locale.ROOT));
  }

  /** Of each component as many as were captured, or more. */
  private static SortedMap<Component, Integer> planned(Entry entry, List<CaptureHeader> captures) {
    SortedMap<Component, Integer> planned = new TreeMap<>();
    for (String field : entry.fields("planned")) {
      String[] words = field.split(" ", -1);
      int sources = Integer.parseInt(words[words.length - 1]);
      if (words.length != 2
          || sources < 1
          || planned.put(Component.of(words[0]), sources) != null) {
        throw new IllegalArgumentException("field planned: " + field);
      }
    }
    if (planned.isEmpty()) {
      throw new IllegalArgumentException("no field planned");
    }
    Map<Component, Integer> left = new HashMap<>(planned);
    for (CaptureHeader capture : captures) {
      Component component = capture.component();
      if (left.merge(component, -1, Integer::sum) < 0) {
        throw new IllegalArgumentException("more sources of " + component + " than were planned");
      }
    }
    return planned;
  }

  private static ObjectRef manifest(Entry entry) throws BackupException {
    List<ObjectRef> manifests = new ArrayList<>();
    for (Entry.Line line : entry.lines()) {
      if (line.path().contains("/manifests/")) {
        manifests.add(ref(line));
      }
    }
    if (manifests.size() != 1) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s names %d manifests, expected 1".formatted(entry, manifests.size()));
    }
    return manifests.get(0);
  }

  /** The digest of a line must be the one in the name. */
  private static ObjectRef ref(Entry.Line line) throws BackupException {
    ObjectRef ref = ObjectRef.parse(line.path());
    if (!ref.stored().equals(line.stored())) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED, "an entry gives %s the digest %s".formatted(ref, line.stored()));
    }
    return ref;
  }

  private static List<StateRef> state(Entry entry) throws BackupException {
    List<StateRef> state = new ArrayList<>();
    for (String field : entry.fields("state")) {
      state.add(StateRef.parse(field));
    }
    return state;
  }

  private static List<Part> parts(Entry entry, List<CaptureHeader> captures)
      throws BackupException {
    List<Part> parts = new ArrayList<>();
    for (Entry.Section section : entry.sections("component")) {
      List<ObjectRef> lists = new ArrayList<>();
      for (Entry.Line line : section.lines()) {
        ObjectRef ref = ref(line);
        if (!ref.isList()) {
          throw new BackupException.Corrupt(
              CoreFailure.MALFORMED, "%s names %s below a component".formatted(entry, ref));
        }
        lists.add(ref);
      }
      parts.add(new Part(captures.get(parts.size()), lists));
    }
    return parts;
  }

  private static CaptureHeader header(String value, SnapshotId id, long sequence) {
    String[] words = value.split(" ", -1);
    Map<String, String> facts = new LinkedHashMap<>();
    for (int i = 1; i < words.length; i++) {
      int equals = words[i].indexOf('=');
      if (equals > 0) {
        facts.put(words[i].substring(0, equals), words[i].substring(equals + 1));
      }
    }
    return new CaptureHeader(
        id,
        SourceName.of(words[0]),
        Component.of(facts.getOrDefault("of", "")),
        SourceKind.of(facts.getOrDefault("kind", "")),
        Instants.parse(facts.getOrDefault("taken", "")),
        sequence,
        outcome(facts.getOrDefault("outcome", "")),
        parents(facts.getOrDefault("parents", "")),
        Optional.ofNullable(facts.get("span")).map(SnapshotEntry::span),
        Long.parseLong(facts.getOrDefault("plain-bytes", "")),
        Long.parseLong(facts.getOrDefault("stored-bytes", "")),
        Long.parseLong(facts.getOrDefault("new-bytes", "")));
  }

  private static List<SnapshotId> parents(String text) {
    return text.isEmpty()
        ? List.of()
        : List.of(text.split(",")).stream().map(SnapshotId::new).toList();
  }

  /** {@code lineage,branch,from,to,recoverable-from}, each end as {@code hex:text}. */
  private static CaptureSpan span(String text) {
    String[] words = text.split(",", -1);
    if (words.length != SPAN_WORDS) {
      throw new IllegalArgumentException("a span of other words: " + text);
    }
    long branch = Long.parseLong(words[1]);
    return new CaptureSpan(
        Positions.parse(words[0], branch, words[2]),
        Positions.parse(words[0], branch, words[3]),
        Instants.parse(words[4]));
  }

  private static String text(CaptureSpan span) {
    return String.join(
        ",",
        span.start().lineage(),
        Long.toString(span.start().branch()),
        Positions.text(span.start()),
        Positions.text(span.end()),
        span.recoverableFrom().toString());
  }

  /** The draft of such an entry. */
  public Entry.Draft draft(Epoch epoch) {
    Entry.Draft draft =
        new Entry.Draft(KIND)
            .field("snapshot", id.value())
            .field("name", name.value())
            .field("plan", plan)
            .field("taken", time.toString())
            .field("outcome", outcome.name().toLowerCase(Locale.ROOT))
            .field("epochs", epoch.id());
    planned.forEach((component, sources) -> draft.field("planned", component + " " + sources));
    keys.forEach(k -> draft.field("key", k));
    draft.line(manifest);
    for (StateRef ref : state) {
      draft.field("state", ref.text()).line(ref.object());
    }
    for (Part part : parts) {
      draft.field("component", component(part.header()));
      part.header().parents().forEach(p -> draft.buildsOn(p, part.header().source()));
      part.lists().forEach(draft::line);
    }
    return draft;
  }

  private static String component(CaptureHeader header) {
    String parents =
        header.parents().isEmpty()
            ? ""
            : " parents="
                + String.join(",", header.parents().stream().map(SnapshotId::value).toList());
    String span = header.span().map(s -> " span=" + text(s)).orElse("");
    return "%s of=%s kind=%s taken=%s outcome=%s plain-bytes=%d stored-bytes=%d new-bytes=%d%s%s"
        .formatted(
            header.source(),
            header.component(),
            header.kind(),
            header.time(),
            header.outcome().name().toLowerCase(Locale.ROOT),
            header.plainBytes(),
            header.storedBytes(),
            header.newBytes(),
            parents,
            span);
  }

  /** The key fields that a new entry carries for this epoch. */
  public static List<String> keysOf(Epoch epoch) {
    return epoch.keyFields();
  }
}
