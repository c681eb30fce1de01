package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;

/**
 * What an entry of a stream says in clear. Byte by byte in {@code docs/format/stream.md}.
 *
 * @param about whose history it is
 * @param tier 0 for what was recorded at once; 1 where pieces were merged; 2 where merged ones are
 *     listed together
 * @param slices in the order of recording
 * @param companions small files
 * @param marks named places
 * @param gaps what was lost
 * @param replaced the entries whose place it takes: it repeats everything of them that still counts
 */
public record StreamEntry(
    About about,
    int tier,
    List<Slice> slices,
    List<Companion> companions,
    List<StreamMark> marks,
    List<StreamGap> gaps,
    Optional<Replaced> replaced) {
  static final String KIND = "segment";

  /** Highest tier: what is listed together is not listed together again. */
  public static final int TOP_TIER = 2;

  private static final Pattern KEYED_DIGEST = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern EPOCH = Pattern.compile("[0-9a-f]{16}");
  private static final Pattern NUMBER = Pattern.compile("0|[1-9][0-9]{0,18}");

  public StreamEntry {
    if (tier < 0 || tier > TOP_TIER) {
      throw new IllegalArgumentException("tier %d, expected 0 to %d".formatted(tier, TOP_TIER));
    }
    slices = List.copyOf(slices);
    companions = List.copyOf(companions);
    marks = List.copyOf(marks);
    gaps = List.copyOf(gaps);
  }

  /** What was recorded at once. */
  public StreamEntry(
      About about,
      int tier,
      List<Slice> slices,
      List<Companion> companions,
      List<StreamMark> marks) {
    this(about, tier, slices, companions, marks, List.of(), Optional.empty());
  }

  /** That something was lost. */
  public static StreamEntry of(About about, StreamGap gap) {
    return new StreamEntry(
        about, 0, List.of(), List.of(), List.of(), List.of(gap), Optional.empty());
  }

  /**
   * What all entries of a stream have in common.
   *
   * @param stream what the plan calls it
   * @param kind format of its slices
   * @param lineage whose history it is
   * @param keys of the epoch that the objects of this entry are encrypted to, {@code <epoch>
   *     <base64>}; empty where an earlier entry has them
   */
  public record About(SourceName stream, SourceKind kind, String lineage, List<String> keys) {
    public About {
      keys = List.copyOf(keys);
    }
  }

  /**
   * A recorded range.
   *
   * @param span which one
   * @param epoch what it is encrypted to
   * @param keyedDigest of its plain bytes, with the writer's id-key
   * @param object sealed and compressed
   */
  public record Slice(SliceSpan span, String epoch, String keyedDigest, ObjectRef object) {
    public Slice {
      if (Long.compareUnsigned(span.lengthBytes(), Integer.MAX_VALUE) > 0) {
        throw new IllegalArgumentException("a slice of more than 2^31 - 1 bytes: " + span);
      }
      requireEpoch(epoch);
      requireKeyed(keyedDigest);
    }
  }

  /** A small file; its fields are those of a {@link Slice}. */
  public record Companion(
      String name, String epoch, long plainBytes, String keyedDigest, ObjectRef object) {
    public Companion {
      SourceName.of(name);
      requireEpoch(epoch);
      requireKeyed(keyedDigest);
    }
  }

  /**
   * A range of slots of the same log.
   *
   * @param last the slot before the entry that says so
   * @param before the head of the log below {@code first}; empty where that is 1
   */
  public record Replaced(long first, long last, Optional<Head> before) {}

  private static void requireEpoch(String epoch) {
    if (!EPOCH.matcher(epoch).matches()) {
      throw new IllegalArgumentException("not an epoch: " + Names.printable(epoch));
    }
  }

  private static void requireKeyed(String digest) {
    if (!KEYED_DIGEST.matcher(digest).matches()) {
      throw new IllegalArgumentException("not a keyed digest: " + Names.printable(digest));
    }
  }

  /** Every object it names. */
  public List<ObjectRef> objects() {
    List<ObjectRef> objects = new ArrayList<>();
    slices.forEach(s -> objects.add(s.object()));
    companions.forEach(c -> objects.add(c.object()));
    return objects;
  }

  /** The same without the slices whose objects are meant. */
  StreamEntry without(IoPredicate<ObjectRef> meant) throws IOException {
    List<Slice> left = new ArrayList<>();
    for (Slice slice : slices) {
      if (!meant.test(slice.object())) {
        left.add(slice);
      }
    }
    return left.size() == slices.size()
        ? this
        : new StreamEntry(about, tier, left, companions, marks, gaps, replaced);
  }

  /** The same without these objects. */
  public StreamEntry withoutObjects(Set<ObjectRef> gone) {
    return new StreamEntry(
        about,
        tier,
        slices.stream().filter(s -> !gone.contains(s.object())).toList(),
        companions.stream().filter(c -> !gone.contains(c.object())).toList(),
        marks,
        gaps,
        replaced);
  }

  /** How long what it says is, but for its place in the log and the signature. */
  public int lengthBytes() {
    return draft().lengthBytes();
  }

  /** The draft of such an entry. */
  public Entry.Draft draft() {
    Entry.Draft draft =
        new Entry.Draft(KIND)
            .field("stream", about.stream().value())
            .field("stream-kind", about.kind().value())
            .field("lineage", about.lineage())
            .field("tier", Integer.toString(tier));
    about.keys().forEach(k -> draft.field("key", k));
    for (StreamGap gap : gaps) {
      draft.field("gap", text(gap));
    }
    for (StreamMark mark : marks) {
      draft.field("mark", text(mark));
    }
    for (Slice slice : slices) {
      draft.field("slice", text(slice)).line(slice.object());
    }
    for (Companion companion : companions) {
      draft
          .field(
              "companion",
              "%s %s %d %s"
                  .formatted(
                      companion.name(),
                      companion.epoch(),
                      companion.plainBytes(),
                      companion.keyedDigest()))
          .line(companion.object());
    }
    replaced.ifPresent(
        r -> {
          draft.field("replaces", r.first() + ".." + r.last());
          r.before().ifPresent(h -> draft.field("before", h.sequence() + " " + h.digest().hex()));
        });
    return draft;
  }

  private static String text(Slice slice) {
    SliceSpan span = slice.span();
    String times =
        span.firstTime().isEmpty()
            ? ""
            : " %s %s".formatted(span.firstTime().get(), span.lastTime().orElseThrow());
    return "%d %s %s %s %d %s%s"
        .formatted(
            span.from().branch(),
            Positions.text(span.from()),
            Positions.text(span.to()),
            slice.epoch(),
            span.lengthBytes(),
            slice.keyedDigest(),
            times);
  }

  private static String text(StreamGap gap) {
    return "%d %s %s %s"
        .formatted(
            gap.from().branch(),
            Positions.text(gap.from()),
            Positions.text(gap.to()),
            encoded(gap.why()));
  }

  private static String text(StreamMark mark) {
    return "%d %s %s %s"
        .formatted(
            mark.at().branch(), Positions.text(mark.at()), mark.time(), encoded(mark.name()));
  }

  /** Words of any text, as one word of ASCII. */
  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static String decoded(String word) {
    return URLDecoder.decode(word, StandardCharsets.UTF_8);
  }

  /** Whether the entry is of a stream. */
  static boolean isStream(Entry entry) {
    return entry.kind().equals(KIND);
  }

  /**
   * Reads the entry.
   *
   * @throws BackupException.Corrupt UNSUPPORTED_FORMAT or MALFORMED
   */
  static StreamEntry of(Entry entry) throws BackupException {
    if (!entry.required().isEmpty() || !isStream(entry)) {
      throw new BackupException.Corrupt(
          CoreFailure.UNSUPPORTED_FORMAT,
          "%s is of kind '%s' and needs %s".formatted(entry, entry.kind(), entry.required()));
    }
    try {
      About about =
          new About(
              SourceName.of(text(entry, "stream")),
              SourceKind.of(text(entry, "stream-kind")),
              text(entry, "lineage"),
              entry.fields("key"));
      return new StreamEntry(
          about,
          (int) Math.min(number(text(entry, "tier")), Integer.MAX_VALUE),
          slices(entry, about.lineage()),
          companions(entry),
          marks(entry, about.lineage()),
          gaps(entry, about.lineage()),
          replaced(entry));
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
        .orElseThrow(() -> new IllegalArgumentException("no field '" + field + "'"));
  }

  private static List<Slice> slices(Entry entry, String lineage) throws BackupException {
    List<Slice> slices = new ArrayList<>();
    for (Entry.Section section : entry.directSections("slice")) {
      String[] words = words(section.value(), 6, 8);
      long branch = number(words[0]);
      boolean hasTimes = words.length == 8;
      SliceSpan span =
          new SliceSpan(
              Positions.parse(lineage, branch, words[1]),
              Positions.parse(lineage, branch, words[2]),
              number(words[4]),
              hasTimes ? Optional.of(Instant.parse(words[6])) : Optional.empty(),
              hasTimes ? Optional.of(Instant.parse(words[7])) : Optional.empty());
      slices.add(new Slice(span, words[3], words[5], object(section)));
    }
    return slices;
  }

  private static List<Companion> companions(Entry entry) throws BackupException {
    List<Companion> companions = new ArrayList<>();
    for (Entry.Section section : entry.directSections("companion")) {
      String[] words = words(section.value(), 4, 4);
      companions.add(
          new Companion(words[0], words[1], number(words[2]), words[3], object(section)));
    }
    return companions;
  }

  private static ObjectRef object(Entry.Section section) throws BackupException {
    if (section.lines().size() != 1) {
      throw new IllegalArgumentException(section.lines().size() + " objects, expected 1");
    }
    Entry.Line line = section.lines().get(0);
    ObjectRef ref = ObjectRef.parse(line.path());
    if (!ref.stored().equals(line.stored()) || !ref.isStream()) {
      throw new IllegalArgumentException(ref + " is not the object of a slice");
    }
    return ref;
  }

  private static List<StreamMark> marks(Entry entry, String lineage) {
    List<StreamMark> marks = new ArrayList<>();
    for (String field : entry.fields("mark")) {
      String[] words = words(field, 4, 4);
      Position at = Positions.parse(lineage, number(words[0]), words[1]);
      marks.add(new StreamMark(decoded(words[3]), at, Instant.parse(words[2])));
    }
    return marks;
  }

  private static List<StreamGap> gaps(Entry entry, String lineage) {
    List<StreamGap> gaps = new ArrayList<>();
    for (String field : entry.fields("gap")) {
      String[] words = words(field, 4, 4);
      long branch = number(words[0]);
      gaps.add(
          new StreamGap(
              Positions.parse(lineage, branch, words[1]),
              Positions.parse(lineage, branch, words[2]),
              decoded(words[3])));
    }
    return gaps;
  }

  private static Optional<Replaced> replaced(Entry entry) {
    Optional<String> range = entry.field("replaces");
    Optional<Head> before = before(entry);
    if (range.isEmpty()) {
      if (before.isPresent()) {
        throw new IllegalArgumentException("names what is below, but replaces nothing");
      }
      return Optional.empty();
    }
    String[] ends = range.get().split("\\.\\.", -1);
    if (ends.length != 2) {
      throw new IllegalArgumentException("replaces " + range.get());
    }
    Replaced replaced = new Replaced(number(ends[0]), number(ends[1]), before);
    boolean isChained =
        replaced.first() >= 1
            && replaced.first() <= replaced.last()
            && replaced.last() == entry.sequence() - 1
            && replaced.first() - 1 == before.map(Head::sequence).orElse(0L);
    if (!isChained) {
      throw new IllegalArgumentException("replaces " + range.get());
    }
    return Optional.of(replaced);
  }

  private static Optional<Head> before(Entry entry) {
    Optional<String> before = entry.field("before");
    if (before.isEmpty()) {
      return Optional.empty();
    }
    String[] words = words(before.get(), 2, 2);
    if (number(words[0]) == 0) {
      throw new IllegalArgumentException("nothing is below the first slot");
    }
    return Optional.of(new Head(number(words[0]), Digest.parse(words[1])));
  }

  /** There is one way to write a number. */
  private static long number(String word) {
    if (!NUMBER.matcher(word).matches()) {
      throw new IllegalArgumentException("not a number: " + Names.printable(word));
    }
    return Long.parseLong(word);
  }

  private static String[] words(String field, int fewest, int most) {
    String[] words = field.split(" ", -1);
    if (words.length != fewest && words.length != most) {
      throw new IllegalArgumentException(words.length + " words: " + field);
    }
    return words;
  }
}
