package org.stellaops.backup.crypto.internal.age;

import java.io.IOException;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.stellaops.backup.crypto.internal.age.IdentityKey.HybridKey;
import org.stellaops.backup.crypto.internal.age.IdentityKey.X25519Key;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;

/**
 * The text of an identity file as {@code age-keygen} writes it: one {@code AGE-SECRET-KEY-1…} or
 * {@code AGE-SECRET-KEY-PQ-1…} a line, empty lines, and comments that begin with {@code #}.
 * Messages name the line and hold nothing of it.
 */
public final class IdentityFile {
  static final String PREFIX = "age-secret-key-";
  static final String HYBRID_PREFIX = "age-secret-key-pq-";
  private static final String UPPER_PREFIX = "AGE-SECRET-KEY-";
  private static final String UPPER_HYBRID_PREFIX = "AGE-SECRET-KEY-PQ-";

  private IdentityFile() {}

  /**
   * The keys, at least one.
   *
   * @param where begins each message: {@code identity file owner.txt}
   * @throws BackupException.Crypto BAD_KEY
   */
  public static List<IdentityKey.Pair> parse(Secret text, String where) throws IOException {
    var keys = new ArrayList<IdentityKey.Pair>();
    char[] all = text.use(char[]::clone);
    try {
      int number = 1;
      for (int start = 0; start < all.length; number++) {
        int end = lineEnd(all, start);
        int textEnd = end > start && all[end - 1] == '\r' ? end - 1 : end;
        parseLine(all, start, textEnd, "%s, line %d".formatted(where, number), keys);
        start = end + 1;
      }
      if (keys.isEmpty()) {
        throw badKey(where + " holds no identity: a line AGE-SECRET-KEY-1… expected");
      }
      return keys;
    } catch (IOException e) {
      keys.forEach(IdentityKey::wipe);
      throw e;
    } finally {
      Arrays.fill(all, '\0');
    }
  }

  /** The text; each key below its public half. */
  public static Secret format(List<IdentityKey.Pair> keys, List<String> recipients) {
    char[] text = new char[0];
    for (int i = 0; i < keys.size(); i++) {
      text = append(text, ("# public key: " + recipients.get(i) + "\n").toCharArray());
      text = append(text, keys.get(i).text());
      text = append(text, new char[] {'\n'});
    }
    return taken(text);
  }

  /** The line of one key, without a line end. */
  public static Secret line(IdentityKey.Pair key) {
    return taken(key.text());
  }

  private static void parseLine(
      char[] all, int start, int end, String where, List<IdentityKey.Pair> keys)
      throws IOException {
    if (start == end || all[start] == '#') {
      return;
    }
    char[] line = Arrays.copyOfRange(all, start, end);
    try {
      boolean isHybrid = startsWith(line, UPPER_HYBRID_PREFIX + "1");
      byte[] secret = decode(line, isHybrid ? HYBRID_PREFIX : PREFIX, where);
      keys.add(isHybrid ? new HybridKey(secret) : new X25519Key(secret));
    } finally {
      Arrays.fill(line, '\0');
    }
  }

  private static byte[] decode(char[] line, String prefix, String where)
      throws BackupException.Crypto {
    if (!startsWith(line, UPPER_PREFIX + "1") && !startsWith(line, UPPER_HYBRID_PREFIX + "1")) {
      throw badKey(where + " " + whatElse(line));
    }
    for (int i = 0; i < line.length; i++) {
      if (Character.isLowerCase(line[i])) {
        throw badKey(where + " is no identity: it holds a lower case letter");
      }
      line[i] = Character.toLowerCase(line[i]);
    }
    try {
      byte[] secret = Bech32.decode(prefix, line);
      if (secret.length != X25519.KEY_BYTES) {
        Arrays.fill(secret, (byte) 0);
        throw badKey(where + " is no identity: it does not hold 32 bytes");
      }
      return secret;
    } catch (IllegalArgumentException e) {
      throw badKey(where + " is no identity: " + e.getMessage());
    }
  }

  private static String whatElse(char[] line) {
    if (startsWith(line, "age1")) {
      return "is a recipient, the public half. hint: give the file that age-keygen wrote";
    }
    if (startsWith(line, ArmorStream.BEGIN) || startsWith(line, "age-encryption.org/")) {
      return "begins an encrypted file. hint: give its passphrase too";
    }
    if (startsWith(line, "AGE-PLUGIN-") || startsWith(line, UPPER_PREFIX)) {
      return "is an identity of an age plugin, or of a kind that is not supported";
    }
    if (startsWith(line, "-----BEGIN ")) {
      return "begins a PEM file; SSH and other keys are not supported as identities";
    }
    return "is no identity: AGE-SECRET-KEY-1… expected";
  }

  private static boolean startsWith(char[] line, String start) {
    return line.length >= start.length()
        && CharBuffer.wrap(line, 0, start.length()).equals(CharBuffer.wrap(start));
  }

  private static int lineEnd(char[] all, int start) {
    int end = start;
    while (end < all.length && all[end] != '\n') {
      end++;
    }
    return end;
  }

  /** Both arrays are wiped. */
  private static char[] append(char[] text, char[] more) {
    char[] both = Arrays.copyOf(text, text.length + more.length);
    System.arraycopy(more, 0, both, text.length, more.length);
    Arrays.fill(text, '\0');
    Arrays.fill(more, '\0');
    return both;
  }

  private static Secret taken(char[] text) {
    try {
      return Secret.of(text);
    } finally {
      Arrays.fill(text, '\0');
    }
  }

  private static BackupException.Crypto badKey(String message) {
    return new BackupException.Crypto(CoreFailure.BAD_KEY, message);
  }
}
