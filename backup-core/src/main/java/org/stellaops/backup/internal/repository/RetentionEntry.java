package org.stellaops.backup.internal.repository;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.SourceName;

/**
 * What an entry of the log {@code retention} says. Byte by byte in {@code
 * docs/format/retention.md}.
 */
public sealed interface RetentionEntry {
  /** What is kept for no time that anybody knows. */
  String FOREVER = "forever";

  /** The draft of such an entry. */
  Entry.Draft draft();

  /** An entry of any log, as others name it. */
  record EntryRef(String log, long sequence, Digest digest) {
    private static final Pattern TEXT =
        Pattern.compile("([a-z0-9][a-z0-9._-]{0,119})/([1-9][0-9]{0,9}) ([0-9a-f]{64})");

    static EntryRef parse(String text) {
      Matcher match = TEXT.matcher(text);
      if (!match.matches()) {
        throw new IllegalArgumentException("names no entry: " + text);
      }
      return new EntryRef(
          match.group(1), Long.parseLong(match.group(2)), Digest.parse(match.group(3)));
    }

    @Override
    public String toString() {
      return log + "/" + sequence + " " + digest;
    }
  }

  /**
   * A snapshot that is let go, or some of its sources.
   *
   * @param sources empty: all of them
   */
  record Released(EntryRef snapshot, SortedSet<SourceName> sources, String reason) {
    private static final String ALL = "all";

    /** A source that is called as all of them are is written twice. */
    private String words() {
      String names = String.join(",", sources.stream().map(SourceName::value).toList());
      return sources.isEmpty() ? ALL : names.equals(ALL) ? ALL + "," + ALL : names;
    }

    static Released of(Entry.Group group) {
      int space = group.value().lastIndexOf(' ');
      String words = group.value().substring(space + 1);
      SortedSet<SourceName> sources = new TreeSet<>();
      if (!words.equals(ALL)) {
        for (String word : words.split(",", -1)) {
          sources.add(SourceName.of(word));
        }
      }
      return new Released(
          EntryRef.parse(group.value().substring(0, Math.max(space, 0))),
          sources,
          required(group.fields(), "reason"));
    }
  }

  /** Snapshots that are let go. */
  record Retire(List<Released> released) implements RetentionEntry {
    private static final int MOST_RELEASED = 1000;
    private static final int MOST_BYTES = 768 << 10;

    public Retire {
      released = List.copyOf(released);
    }

    /** As few entries for these as fit, none longer than an entry can be. */
    public static List<Retire> of(List<Released> all) {
      List<Retire> entries = new ArrayList<>();
      int from = 0;
      int bytes = 0;
      for (int i = 0; i < all.size(); i++) {
        int own = new Retire(all.subList(i, i + 1)).draft().lengthBytes();
        boolean isFull = i - from == MOST_RELEASED || bytes + own > MOST_BYTES;
        if (i > from && isFull) {
          entries.add(new Retire(all.subList(from, i)));
          from = i;
          bytes = 0;
        }
        bytes += own;
      }
      if (from < all.size()) {
        entries.add(new Retire(all.subList(from, all.size())));
      }
      return entries;
    }

    @Override
    public Entry.Draft draft() {
      Entry.Draft draft = new Entry.Draft("retire");
      for (Released one : released) {
        draft
            .field("retire", one.snapshot() + " " + one.words())
            .field("reason", line(one.reason()));
      }
      return draft;
    }
  }

  /**
   * A snapshot that nobody may let go.
   *
   * @param until empty: for ever
   */
  record Hold(EntryRef snapshot, Optional<Instant> until, String reason, String actor)
      implements RetentionEntry {
    @Override
    public Entry.Draft draft() {
      return new Entry.Draft("hold")
          .field("hold", snapshot + " until=" + until.map(Instant::toString).orElse(FOREVER))
          .field("reason", line(reason))
          .field("actor", line(actor));
    }
  }

  /** The end of a hold. */
  record Release(EntryRef snapshot, String reason, String actor) implements RetentionEntry {
    @Override
    public Entry.Draft draft() {
      return new Entry.Draft("release")
          .field("release", snapshot.toString())
          .field("reason", line(reason))
          .field("actor", line(actor));
    }
  }

  /**
   * Objects that nobody may name any more, and that may go.
   *
   * @param writer whose they are
   * @param notBefore until then it can be taken back
   * @param list names them
   */
  record Doom(String writer, Instant notBefore, ObjectRef list) implements RetentionEntry {
    @Override
    public Entry.Draft draft() {
      return new Entry.Draft("doom")
          .field("writer", writer)
          .field("not-before", notBefore.toString())
          .line(list);
    }
  }

  /**
   * Slots of the log of a stream that are gone, or going.
   *
   * @param last digest of what stood in the last one
   * @param before what stands below the first one; empty where that is slot 1
   */
  record Swept(String log, long first, Head last, Optional<Head> before) {
    private static final Pattern TEXT =
        Pattern.compile(
            "([a-z0-9][a-z0-9._-]{0,119}) ([1-9][0-9]{0,9})-([1-9][0-9]{0,9}) ([0-9a-f]{64}) (none|[0-9a-f]{64})");

    static Swept parse(String text) {
      Matcher match = TEXT.matcher(text);
      if (!match.matches()) {
        throw new IllegalArgumentException("names no slots: " + text);
      }
      long first = Long.parseLong(match.group(2));
      long last = Long.parseLong(match.group(3));
      boolean isFromBegin = match.group(5).equals("none");
      if (first > last || isFromBegin != (first == 1) || !Names.isStream(match.group(1))) {
        throw new IllegalArgumentException("names no slots: " + text);
      }
      return new Swept(
          match.group(1),
          first,
          new Head(last, Digest.parse(match.group(4))),
          isFromBegin
              ? Optional.empty()
              : Optional.of(new Head(first - 1, Digest.parse(match.group(5)))));
    }

    @Override
    public String toString() {
      return "%s %d-%d %s %s"
          .formatted(
              log,
              first,
              last.sequence(),
              last.digest(),
              before.map(h -> h.digest().hex()).orElse("none"));
    }
  }

  /** From here on what these dooms name is gone, or going. */
  record Sweep(List<Long> dooms, List<Swept> slots) implements RetentionEntry {
    @Override
    public Entry.Draft draft() {
      Entry.Draft draft = new Entry.Draft("sweep");
      dooms.forEach(d -> draft.field("sweep", Long.toString(d)));
      slots.forEach(s -> draft.field("swept", s.toString()));
      return draft;
    }
  }

  /** What these entries said is taken back. */
  record Recall(List<Long> entries, String reason, String actor) implements RetentionEntry {
    @Override
    public Entry.Draft draft() {
      Entry.Draft draft = new Entry.Draft("recall");
      entries.forEach(e -> draft.field("recall", Long.toString(e)));
      return draft.field("reason", line(reason)).field("actor", line(actor));
    }
  }

  /**
   * Reads the entry.
   *
   * @throws BackupException.Corrupt UNSUPPORTED_FORMAT or MALFORMED
   */
  static RetentionEntry of(Entry entry) throws BackupException {
    if (!entry.required().isEmpty()) {
      throw unsupported(entry);
    }
    try {
      return switch (entry.kind()) {
        case "retire" -> retire(entry);
        case "hold" -> hold(entry);
        case "release" ->
            new Release(
                EntryRef.parse(text(entry, "release")),
                text(entry, "reason"),
                text(entry, "actor"));
        case "doom" -> doom(entry);
        case "sweep" -> sweep(entry);
        case "recall" -> recall(entry);
        default -> throw unsupported(entry);
      };
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s cannot be read: %s"
              .formatted(entry, Names.printable(String.valueOf(e.getMessage()))));
    }
  }

  private static BackupException unsupported(Entry entry) {
    return new BackupException.Corrupt(
        CoreFailure.UNSUPPORTED_FORMAT,
        "%s is of kind '%s' and needs %s".formatted(entry, entry.kind(), entry.required()));
  }

  private static Retire retire(Entry entry) {
    List<Released> released = entry.groups("retire").stream().map(Released::of).toList();
    requireSome(released.size(), "retire");
    return new Retire(released);
  }

  private static Hold hold(Entry entry) {
    String value = text(entry, "hold");
    int at = value.lastIndexOf(" until=");
    if (at < 0) {
      throw new IllegalArgumentException("a hold without an end: " + value);
    }
    String until = value.substring(at + " until=".length());
    return new Hold(
        EntryRef.parse(value.substring(0, at)),
        until.equals(FOREVER) ? Optional.empty() : Optional.of(Instant.parse(until)),
        text(entry, "reason"),
        text(entry, "actor"));
  }

  private static Doom doom(Entry entry) throws BackupException {
    if (entry.lines().size() != 1) {
      throw new IllegalArgumentException(entry.lines().size() + " lists, expected 1");
    }
    Entry.Line line = entry.lines().get(0);
    ObjectRef list = ObjectRef.parse(line.path());
    if (!list.stored().equals(line.stored())
        || !list.equals(Names.doomed(list.stored(), list.lengthBytes()))) {
      throw new IllegalArgumentException(list + " is no list of doomed objects");
    }
    String writer = text(entry, "writer");
    if (!Names.isWriter(writer)) {
      throw new IllegalArgumentException("no writer: " + writer);
    }
    return new Doom(writer, Instant.parse(text(entry, "not-before")), list);
  }

  private static Sweep sweep(Entry entry) {
    List<Long> dooms = numbers(entry, "sweep");
    List<Swept> slots = entry.fields("swept").stream().map(Swept::parse).toList();
    requireSome(dooms.size() + slots.size(), "sweep");
    return new Sweep(dooms, slots);
  }

  private static Recall recall(Entry entry) {
    List<Long> entries = numbers(entry, "recall");
    requireSome(entries.size(), "recall");
    return new Recall(entries, text(entry, "reason"), text(entry, "actor"));
  }

  /** Of entries before this one. */
  private static List<Long> numbers(Entry entry, String field) {
    List<Long> numbers = new ArrayList<>();
    for (String value : entry.fields(field)) {
      if (!value.matches("[1-9][0-9]{0,9}") || Long.parseLong(value) >= entry.sequence()) {
        throw new IllegalArgumentException("%s: %s".formatted(field, value));
      }
      numbers.add(Long.parseLong(value));
    }
    return numbers;
  }

  private static void requireSome(int count, String field) {
    if (count == 0) {
      throw new IllegalArgumentException("no field '" + field + "'");
    }
  }

  private static String text(Entry entry, String field) {
    return entry
        .field(field)
        .orElseThrow(() -> new IllegalArgumentException("no field '" + field + "'"));
  }

  private static String required(Map<String, String> fields, String name) {
    String value = fields.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no field '" + name + "'");
    }
    return value;
  }

  /** Any text, as the value of a field. */
  static String line(String text) {
    return Names.printable(text).replace('…', '.').strip();
  }
}
