package org.stellaops.backup.internal.repository;

import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceName;

/** Where the objects of a repository are. Byte by byte in {@code docs/format/README.md}. */
public final class Names {
  public static final ObjectName FORMAT = ObjectName.of("FORMAT.txt");
  public static final ObjectName RECOVER = ObjectName.of("recover.sh");
  public static final ObjectName REPOSITORY = ObjectName.of("repository.json");
  public static final ObjectName SINK = ObjectName.of("sink.json");
  public static final ObjectName PROMOTED = ObjectName.of("promoted.json");

  /** Log of keys and principals. */
  public static final String ADMIN = "admin";

  /** Log of deletions. */
  public static final String RETENTION = "retention";

  /** Log of verifications. */
  public static final String VERIFY = "verify";

  /** There is no slot behind this one. */
  public static final long LAST_SLOT = 9_999_999_999L;

  static final Pattern LOG = Pattern.compile("[a-z0-9][a-z0-9._-]{0,119}");

  private static final String LOGS = "log/";
  private static final String ENTRY_END = ".entry";
  private static final int ENTRY_DIGITS = 10;

  private Names() {}

  static String logPrefix(String log) {
    return "log/" + log + "/";
  }

  /** The slot of a log that this name stands for; empty if it is not the name of an entry. */
  public static OptionalLong slot(String name) {
    int digits = name.length() - ENTRY_END.length() - ENTRY_DIGITS;
    boolean isEntry =
        name.startsWith(LOGS)
            && name.endsWith(ENTRY_END)
            && digits - 1 > LOGS.length()
            && name.indexOf('/', LOGS.length()) == digits - 1;
    long slot = 0;
    for (int i = digits; isEntry && i < digits + ENTRY_DIGITS; i++) {
      isEntry = name.charAt(i) >= '0' && name.charAt(i) <= '9';
      slot = slot * 10 + name.charAt(i) - '0';
    }
    return isEntry && slot > 0 ? OptionalLong.of(slot) : OptionalLong.empty();
  }

  static ObjectName entry(String log, long sequence) {
    return ObjectName.of("log/%s/%010d.entry".formatted(log, sequence));
  }

  static String packPrefix(String writer) {
    return "w/" + writer + "/packs/";
  }

  static ObjectRef pack(String writer, Digest stored, long bytes) {
    return ref(
        "w/%s/packs/%s/".formatted(writer, stored.hex().substring(0, 2)), stored, bytes, "age");
  }

  static ObjectRef manifest(String writer, Digest stored, long bytes) {
    return ref("w/" + writer + "/manifests/", stored, bytes, "age");
  }

  static ObjectRef state(String writer, Digest stored, long bytes) {
    return ref("w/" + writer + "/state/", stored, bytes, "age");
  }

  static ObjectRef list(String writer, Digest stored, long bytes) {
    return ref("w/" + writer + "/lists/", stored, bytes, "sums");
  }

  static ObjectRef stream(String writer, Digest stored, long bytes) {
    return ref(streamPrefix(writer), stored, bytes, "age");
  }

  static String streamPrefix(String writer) {
    return "w/" + writer + "/stream/";
  }

  /** The log of a writer's stream. */
  public static String streamLog(String writer, SourceName stream) {
    return writer + "." + stream;
  }

  /** Whether a log is of a stream: no other name holds a dot. */
  public static boolean isStream(String log) {
    return log.indexOf('.') >= 0;
  }

  /** The writer whose log this is, or whose stream's; a common log's own name. */
  static String writerOf(String log) {
    int dot = log.indexOf('.');
    return dot < 0 ? log : log.substring(0, dot);
  }

  /** Whether several may speak in it. */
  public static boolean isCommon(String log) {
    return log.equals(ADMIN) || log.equals(RETENTION) || log.equals(VERIFY);
  }

  static String epochKeys(String epoch) {
    return "keys/" + epoch + "-";
  }

  static ObjectName epochKey(String epoch, int number) {
    return ObjectName.of("keys/%s-%d.age".formatted(epoch, number));
  }

  /** A list of doomed objects. */
  static ObjectRef doomed(Digest stored, long bytes) {
    return list(RETENTION, stored, bytes);
  }

  /** Everything that a writer stored, but for its entries. */
  public static String writerPrefix(String writer) {
    return "w/" + writer + "/";
  }

  /** A sign of life of a run. */
  public static ObjectName beat(String writer, RunId run, long number) {
    return ObjectName.of("%s%d".formatted(beats(writer, run), number));
  }

  static String beats(String writer, RunId run) {
    return "%s%s-".formatted(beats(writer), run);
  }

  /** Signs of life of all runs of a writer. */
  static String beats(String writer) {
    return "beat/%s/".formatted(writer);
  }

  /** Whose sign of life this is: a run's id, or what somebody made up to ask for the time. */
  public static String livingOf(ObjectName beat) {
    String name = beat.value().substring(beat.value().lastIndexOf('/') + 1);
    int number = name.lastIndexOf('-');
    return number < 0 ? name : name.substring(0, number);
  }

  /** Whether a log is a writer's own: neither of a stream nor one that all share. */
  public static boolean isWriter(String log) {
    return !isStream(log) && !log.equals(ADMIN) && !log.equals(RETENTION) && !log.equals(VERIFY);
  }

  private static ObjectRef ref(String folder, Digest stored, long bytes, String ending) {
    ObjectName name = ObjectName.of("%s%s-%d.%s".formatted(folder, stored.hex(), bytes, ending));
    return new ObjectRef(name, stored, bytes);
  }

  /** Text from a store, fit for a message. */
  static String printable(String text) {
    String head = text.length() > 200 ? text.substring(0, 200) + "…" : text;
    return head.replaceAll("[^\\x20-\\x7e…]", "?");
  }
}
