package org.stellaops.backup.engine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.spi.WriterKeys;

/** An entry written by hand: right in everything but what a test makes wrong. */
final class Forgery {
  private static final String NAMESPACE = "stella-backup-v1";
  private String text;

  private Forgery(String text) {
    this.text = text;
  }

  /** The same once more, in the slot behind this entry. */
  static Forgery after(String entry) {
    long sequence = Long.parseLong(value(entry, "seq"));
    return same(entry)
        .field("# seq: " + sequence, "# seq: " + (sequence + 1))
        .field("# prev: " + value(entry, "prev"), "# prev: " + digest(entry));
  }

  /** The same once more, in the slot where it is. */
  static Forgery same(String entry) {
    return new Forgery(entry.substring(0, entry.indexOf("\n#sig ") + 1));
  }

  /** The same as the first entry of another log. */
  static Forgery first(String entry, String log) {
    return same(entry)
        .field("# log: " + value(entry, "log"), "# log: " + log)
        .field("# seq: " + value(entry, "seq"), "# seq: 1")
        .field("# prev: " + value(entry, "prev"), "# prev: none");
  }

  private static String value(String entry, String field) {
    int at = entry.indexOf("\n# " + field + ": ") + field.length() + 5;
    return entry.substring(at, entry.indexOf('\n', at));
  }

  private static String digest(String entry) {
    return Digest.ofContent(entry.getBytes(StandardCharsets.US_ASCII)).hex();
  }

  /** Puts another text in the place of one that is there once. */
  Forgery field(String before, String after) {
    String changed = text.replace(before + "\n", after + "\n");
    if (changed.equals(text)) {
      throw new IllegalArgumentException("not in the entry: " + before);
    }
    text = changed;
    return this;
  }

  /** Puts another text in the place of whatever matches, once or more often. */
  Forgery replace(String regex, String after) {
    String changed = text.replaceAll(regex, after);
    if (changed.equals(text)) {
      throw new IllegalArgumentException("not in the entry: " + regex);
    }
    text = changed;
    return this;
  }

  /** Adds to the end. */
  Forgery add(String lines) {
    text += lines;
    return this;
  }

  /** Puts these lines in the place of everything behind the header. */
  Forgery body(String lines) {
    int seen = text.indexOf("\n# seen: ");
    text = text.substring(0, text.indexOf('\n', seen + 1) + 1) + lines;
    return this;
  }

  /** The whole entry. */
  String signedBy(WriterKeyring keyring) throws IOException {
    StringBuilder whole = new StringBuilder(text);
    try (WriterKeys keys = keyring.open()) {
      String armor = keys.sign(NAMESPACE, text.getBytes(StandardCharsets.US_ASCII));
      armor.lines().forEach(line -> whole.append("#sig ").append(line).append('\n'));
    }
    return whole.toString();
  }
}
