package org.stellaops.backup.internal.repository;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;

/**
 * A signed entry of a log: clear ASCII that is at once a valid GNU checksum file. Its object is the
 * only kind that means something by its name. Byte by byte in {@code docs/format/entry.md}.
 */
public final class Entry {
  /** Largest entry. */
  public static final int MAX_BYTES = 1 << 20;

  private static final String TITLE = "# stella-backup entry 1";
  private static final int DIGITS = 64;
  private static final String SIGNATURE_MARK = "#sig ";
  private static final Pattern FIELD =
      Pattern.compile("# ([a-z][a-z-]*):(?: ([\\x21-\\x7e](?:[\\x20-\\x7e]*[\\x21-\\x7e])?))?");
  private static final Pattern LINE =
      Pattern.compile("([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._/-]{0,1023})");
  private static final Pattern SEEN = Pattern.compile("retention/([1-9][0-9]{0,9}) ([0-9a-f]{64})");

  private final Digest digest;
  private final String signed;
  private final String publicKey;
  private final String log;
  private final long sequence;
  private final String kind;
  private final Instant time;
  private volatile boolean isReadable;

  /**
   * Its own bytes are all that it keeps: thousands of entries are held at once, and of most of them
   * a few fields are asked for.
   *
   * @param signed every line of which is a field or names an object
   */
  private Entry(Digest digest, String signed, String publicKey, String what)
      throws BackupException {
    this.digest = digest;
    this.signed = signed;
    this.publicKey = publicKey;
    this.log = text("log", what);
    this.kind = text("kind", what);
    for (String name : List.of("repository", "nonce", "seen")) {
      text(name, what);
    }
    try {
      this.time = Instants.parse(text("time", what));
      this.sequence = Long.parseLong(text("seq", what));
    } catch (DateTimeException | NumberFormatException e) {
      throw malformed(what, "time or seq cannot be read");
    }
    if (!isPrevious(text("prev", what))) {
      throw malformed(what, "prev is no digest");
    }
  }

  private static boolean isPrevious(String text) {
    try {
      return text.equals("none") || text.equals(Digest.parse(text).hex());
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /**
   * The entry whose signature was verified before, and which could be read.
   *
   * @param signed what {@link #signed} gave
   * @param publicKey whose signature it was
   */
  static Entry verified(Digest digest, String signed, String publicKey, String what)
      throws BackupException {
    Entry entry = new Entry(digest, signed, publicKey, what);
    entry.markReadable();
    return entry;
  }

  /** Whether what its kind asks for was found in it before. */
  boolean isReadable() {
    return isReadable;
  }

  void markReadable() {
    isReadable = true;
  }

  /** The bytes that were signed. */
  String signed() {
    return signed;
  }

  /** A field, or a checksum line where the digest is present. */
  record Item(String name, String value, Optional<Digest> digest) {
    boolean isField(String wanted) {
      return digest.isEmpty() && name.equals(wanted);
    }
  }

  /**
   * An object that an entry names.
   *
   * @param stored digest of its stored bytes
   * @param path from the root of the repository
   */
  public record Line(Digest stored, String path) {}

  /** A field of an entry with the other fields that follow it. */
  record Group(String value, Map<String, String> fields) {}

  /** The lines of an entry that follow one of its fields. */
  record Section(String value, List<Line> lines) {}

  /**
   * Reads an entry and verifies that somebody signed exactly these bytes.
   *
   * @param what is read, for messages
   * @param seen entries whose signature was verified before
   */
  static Entry parse(byte[] bytes, String what, SeenSignatures seen) throws BackupException {
    String text = ascii(bytes, what);
    int mark = text.startsWith(SIGNATURE_MARK) ? 0 : text.indexOf("\n" + SIGNATURE_MARK) + 1;
    if (mark == 0) {
      throw malformed(what, "no signature");
    }
    String armor = armor(text.substring(mark), what);
    byte[] message = text.substring(0, mark).getBytes(StandardCharsets.US_ASCII);
    Digest digest = Digest.ofContent(bytes);
    String key = seen.signer(digest, () -> SshSignature.verify(armor, message, what));
    String signed = text.substring(0, mark);
    checkLines(signed, what);
    return new Entry(digest, signed, key, what);
  }

  private static String ascii(byte[] bytes, String what) throws BackupException {
    if (bytes.length > MAX_BYTES) {
      throw malformed(what, "larger than " + MAX_BYTES + " bytes");
    }
    for (byte b : bytes) {
      if (b != '\n' && (b < 0x20 || b > 0x7e)) {
        throw malformed(what, "a byte that is not printable ASCII");
      }
    }
    return new String(bytes, StandardCharsets.US_ASCII);
  }

  private static String armor(String tail, String what) throws BackupException {
    if (!tail.endsWith("\n")) {
      throw malformed(what, "no line end after the signature");
    }
    StringBuilder armor = new StringBuilder();
    for (String line : tail.substring(0, tail.length() - 1).split("\n", -1)) {
      if (!line.startsWith(SIGNATURE_MARK)) {
        throw malformed(what, "something follows the signature");
      }
      armor.append(line, SIGNATURE_MARK.length(), line.length()).append('\n');
    }
    return armor.toString();
  }

  private static void checkLines(String signed, String what) throws BackupException {
    String[] lines = signed.split("\n", -1);
    if (!lines[0].equals(TITLE)) {
      throw new BackupException.Corrupt(
          CoreFailure.UNSUPPORTED_FORMAT,
          "%s begins with '%s', expected '%s'".formatted(what, Names.printable(lines[0]), TITLE));
    }
    for (int i = 1; i < lines.length - 1; i++) {
      Matcher checksum = LINE.matcher(lines[i]);
      boolean isChecksum = checksum.matches() && isPath(checksum.group(2));
      if (!isChecksum && !FIELD.matcher(lines[i]).matches()) {
        throw malformed(
            what, "a line that is neither field nor checksum: " + Names.printable(lines[i]));
      }
    }
  }

  /** Its lines in order, each of a form that was checked when it was read first. */
  private List<Item> items() {
    List<Item> items = new ArrayList<>();
    int next;
    for (int at = signed.indexOf('\n') + 1; at < signed.length(); at = next) {
      int end = signed.indexOf('\n', at);
      items.add(item(at, end));
      next = end + 1;
    }
    return items;
  }

  private Item item(int at, int end) {
    if (signed.charAt(at) != '#') {
      return new Item(
          "",
          signed.substring(at + DIGITS + 2, end),
          Optional.of(Digest.parse(signed.substring(at, at + DIGITS))));
    }
    int colon = signed.indexOf(':', at);
    String value = colon + 2 <= end ? signed.substring(colon + 2, end) : "";
    return new Item(signed.substring(at + 2, colon), value, Optional.empty());
  }

  /** Every segment has a name, and none leads out of the repository. */
  private static boolean isPath(String path) {
    for (String segment : path.split("/", -1)) {
      if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
        return false;
      }
    }
    return true;
  }

  private String text(String name, String what) throws BackupException {
    return field(name).orElseThrow(() -> malformed(what, "field '" + name + "' is missing"));
  }

  private static BackupException malformed(String what, String found) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, what + ": " + found);
  }

  /** First field of this name. */
  public Optional<String> field(String name) {
    String start = "\n# " + name + ":";
    int at = signed.indexOf(start);
    return at < 0 ? Optional.empty() : Optional.of(value(at + start.length()));
  }

  /** All fields of this name. */
  public List<String> fields(String name) {
    String start = "\n# " + name + ":";
    List<String> values = new ArrayList<>();
    for (int at = signed.indexOf(start); at >= 0; at = signed.indexOf(start, at + 1)) {
      values.add(value(at + start.length()));
    }
    return values;
  }

  /** What stands behind the colon of a field, up to the end of the line. */
  private String value(int behindColon) {
    int end = signed.indexOf('\n', behindColon);
    return end == behindColon ? "" : signed.substring(behindColon + 1, end);
  }

  private String header(String name) {
    return field(name)
        .orElseThrow(() -> new AssertionError("checked when the entry was read: " + name));
  }

  String repository() {
    return header("repository");
  }

  /** Name of the log. */
  public String log() {
    return log;
  }

  /** Place in the log, from 1. */
  public long sequence() {
    return sequence;
  }

  /** Digest of what stands in the slot below; empty in the first. */
  public Optional<Digest> previous() {
    String previous = header("prev");
    return previous.equals("none") ? Optional.empty() : Optional.of(Digest.parse(previous));
  }

  /** When it was signed, by the writer's clock. */
  public Instant time() {
    return time;
  }

  /** {@code snapshot}, {@code epoch}, {@code verify}, … */
  public String kind() {
    return kind;
  }

  /** Name of the object it is. */
  public String objectName() {
    return Names.entry(log(), sequence()).value();
  }

  /** Features without which the entry cannot be understood. */
  public Set<String> required() {
    Set<String> required = new TreeSet<>();
    fields("requires").forEach(v -> required.addAll(List.of(v.split(" ", -1))));
    required.remove("");
    return required;
  }

  /** The key that signed it, as OpenSSH writes it. */
  public String publicKey() {
    return publicKey;
  }

  /** Digest of the whole object. */
  public Digest digest() {
    return digest;
  }

  /** Every object it names. */
  public List<Line> lines() {
    return items().stream().filter(i -> i.digest().isPresent()).map(Entry::line).toList();
  }

  private static Line line(Item item) {
    return new Line(item.digest().orElseThrow(), item.value());
  }

  /**
   * The newest entry of the retention log that its writer had read; empty if it knew none, or does
   * not say so in words that are understood.
   */
  public Optional<Head> seen() {
    Matcher seen = SEEN.matcher(header("seen"));
    return seen.matches()
        ? Optional.of(new Head(Long.parseLong(seen.group(1)), Digest.parse(seen.group(2))))
        : Optional.empty();
  }

  /** For each field of this name the fields that follow it, up to the next one. */
  List<Group> groups(String field) {
    List<Group> groups = new ArrayList<>();
    Map<String, String> fields = new LinkedHashMap<>();
    for (Item item : items()) {
      if (item.isField(field)) {
        fields = new LinkedHashMap<>();
        groups.add(new Group(item.value(), fields));
      } else if (item.digest().isEmpty()) {
        fields.putIfAbsent(item.name(), item.value());
      }
    }
    return groups;
  }

  /** For each field of this name the lines that follow it, up to the next one. */
  List<Section> sections(String field) {
    List<Section> sections = new ArrayList<>();
    List<Line> lines = new ArrayList<>();
    for (Item item : items()) {
      if (item.isField(field)) {
        lines = new ArrayList<>();
        sections.add(new Section(item.value(), lines));
      } else if (item.digest().isPresent()) {
        lines.add(line(item));
      }
    }
    return sections;
  }

  /** For each field of this name the lines that follow it, up to the next field of any name. */
  List<Section> directSections(String field) {
    List<Section> sections = new ArrayList<>();
    List<Line> lines = new ArrayList<>();
    for (Item item : items()) {
      if (item.digest().isPresent()) {
        lines.add(line(item));
      } else {
        lines = new ArrayList<>();
        if (item.isField(field)) {
          sections.add(new Section(item.value(), lines));
        }
      }
    }
    return sections;
  }

  @Override
  public String toString() {
    return log() + "/" + sequence() + " " + kind();
  }

  /** What is to be signed, but for its place in the log. */
  public static final class Draft {
    private final String kind;
    private final StringBuilder body = new StringBuilder();
    private final List<ObjectRef> objects = new ArrayList<>();
    private final List<Iterable<ObjectRef>> needed = new ArrayList<>();
    private final List<Parent> parents = new ArrayList<>();

    /** A capture that this one cannot be restored without. */
    record Parent(SnapshotId snapshot, SourceName source) {}

    /** An empty entry of this kind. */
    public Draft(String kind) {
      this.kind = kind;
    }

    String kind() {
      return kind;
    }

    /**
     * Adds a field.
     *
     * @throws IllegalArgumentException if the value does not fit a line of ASCII
     */
    public Draft field(String name, String value) {
      String line = "# " + name + ":" + (value.isEmpty() ? "" : " " + value);
      if (!FIELD.matcher(line).matches()) {
        throw new IllegalArgumentException(
            "does not fit a field of an entry: " + Names.printable(line));
      }
      body.append(line).append('\n');
      return this;
    }

    /** Adds an object. */
    public Draft line(Digest stored, String path) {
      String line = stored.hex() + "  " + path;
      if (!LINE.matcher(line).matches()) {
        throw new IllegalArgumentException(
            "does not fit a line of an entry: " + Names.printable(line));
      }
      body.append(line).append('\n');
      return this;
    }

    /** Adds an object. */
    public Draft line(ObjectRef object) {
      objects.add(object);
      return line(object.stored(), object.name().value());
    }

    /**
     * Says that it needs objects that its lists name: it adds no line.
     *
     * @param named gone through whenever it is tried to commit this
     */
    public Draft needs(Iterable<ObjectRef> named) {
      needed.add(named);
      return this;
    }

    /** Says that it builds on a capture of an earlier snapshot: it adds no line. */
    public Draft buildsOn(SnapshotId snapshot, SourceName source) {
      parents.add(new Parent(snapshot, source));
      return this;
    }

    /** Every content-named object that must stay, some at a time. */
    List<Iterable<ObjectRef>> objects() {
      List<Iterable<ObjectRef>> all = new ArrayList<>(needed);
      all.add(objects);
      return all;
    }

    List<Parent> parents() {
      return parents;
    }

    int lengthBytes() {
      return body.length();
    }

    String text(Place place) {
      return TITLE
          + "\n# repository: "
          + place.repository()
          + "\n# log: "
          + place.log()
          + "\n# seq: "
          + place.sequence()
          + "\n# prev: "
          + place.previous().map(Digest::hex).orElse("none")
          + "\n# nonce: "
          + place.nonce()
          + "\n# time: "
          + place.time()
          + "\n# kind: "
          + kind
          + "\n# seen: "
          + place.seen()
          + "\n"
          + place.heads().stream().map(h -> "# heads: " + h + "\n").collect(Collectors.joining())
          + body;
    }

    static byte[] signed(String text, String armor) {
      StringBuilder whole = new StringBuilder(text);
      armor.lines().forEach(line -> whole.append(SIGNATURE_MARK).append(line).append('\n'));
      return whole.toString().getBytes(StandardCharsets.US_ASCII);
    }
  }

  /**
   * Where an entry is to stand.
   *
   * @param heads of other logs, as they were last seen: {@code <log>/<seq> <sha256>}
   */
  record Place(
      String repository,
      String log,
      long sequence,
      Optional<Digest> previous,
      String nonce,
      Instant time,
      String seen,
      List<String> heads) {
    Place {
      heads = List.copyOf(heads);
    }

    /** An entry that says nothing of other logs. */
    Place(
        String repository,
        String log,
        long sequence,
        Optional<Digest> previous,
        String nonce,
        Instant time,
        String seen) {
      this(repository, log, sequence, previous, nonce, time, seen, List.of());
    }
  }
}
