package org.stellaops.backup.secrets;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A dotenv file, taken apart but not interpreted: what stands in it is written back as it stood.
 * Strict: a line is empty, a comment, or {@code [export ]NAME=VALUE}; the value may be in single or
 * double quotes, and then reach over several lines; a name stands there once.
 *
 * <p>The text is held in one array, which {@link #close} wipes. No method and no exception makes a
 * string of anything but names.
 */
final class Dotenv implements AutoCloseable {
  /** More than any honest file of secrets has. */
  static final int MAX_BYTES = 1 << 20;

  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,250}");
  private static final String EXPORT = "export";

  private final char[] text;
  private final int length;
  private final List<Line> lines = new ArrayList<>();
  private final Map<String, Line> byName = new LinkedHashMap<>();

  private Dotenv(char[] text, int length) {
    this.text = text;
    this.length = length;
  }

  /** The text is not a dotenv file; says where and why, never what stands there. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1;

    Malformed(String message) {
      super(message);
    }
  }

  /** A part of the text, from the beginning of a line to the beginning of another. */
  private record Line(String name, int from, int to, int valueChars) {}

  /** Nothing. */
  static Dotenv empty() {
    return new Dotenv(new char[0], 0);
  }

  /** Reads a file. */
  static Dotenv read(Path file) throws IOException, Malformed {
    try (InputStream in = new FileInputStream(file.toFile())) {
      return read(in);
    }
  }

  /** Reads a stream to its end. */
  static Dotenv read(InputStream in) throws IOException, Malformed {
    byte[] bytes = new byte[MAX_BYTES + 1];
    try {
      int length = in.readNBytes(bytes, 0, bytes.length);
      if (length > MAX_BYTES) {
        throw new Malformed("longer than %d bytes".formatted(MAX_BYTES));
      }
      return parse(bytes, length);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  private static Dotenv parse(byte[] bytes, int length) throws Malformed {
    var decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    char[] text = new char[length];
    try {
      CharBuffer chars = CharBuffer.wrap(text);
      var result = decoder.decode(ByteBuffer.wrap(bytes, 0, length), chars, true);
      if (result.isError()) {
        result.throwException();
      }
      Dotenv dotenv = new Dotenv(text, chars.position());
      dotenv.parse();
      return dotenv;
    } catch (CharacterCodingException e) {
      Arrays.fill(text, '\0');
      throw new Malformed("not UTF-8");
    } catch (Malformed e) {
      Arrays.fill(text, '\0');
      throw e;
    }
  }

  /** Whether a secret can have this name. */
  static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  private void parse() throws Malformed {
    for (int at = 0; at < length; ) {
      Line line = line(at);
      lines.add(line);
      if (!line.name().isEmpty() && byName.put(line.name(), line) != null) {
        throw malformed(at, line.name() + " stands there twice");
      }
      at = line.to();
    }
  }

  private Line line(int from) throws Malformed {
    int at = skipBlanks(from);
    if (at == length || text[at] == '\n' || text[at] == '#') {
      return new Line("", from, behindLine(at), 0);
    }
    at = skipExport(at);
    int nameFrom = at;
    while (at < length && (Character.isLetterOrDigit(text[at]) || text[at] == '_')) {
      at++;
    }
    String name = at == length || text[at] != '=' ? "" : new String(text, nameFrom, at - nameFrom);
    if (!isName(name)) {
      throw malformed(from, "neither NAME=VALUE nor a comment");
    }
    return value(name, from, skipBlanks(at + 1));
  }

  private int skipExport(int at) {
    int behind = at + EXPORT.length();
    boolean isExport =
        behind < length
            && CharBuffer.wrap(text, at, EXPORT.length()).compareTo(CharBuffer.wrap(EXPORT)) == 0
            && (text[behind] == ' ' || text[behind] == '\t');
    return isExport ? skipBlanks(behind) : at;
  }

  private Line value(String name, int from, int at) throws Malformed {
    if (at < length && (text[at] == '"' || text[at] == '\'')) {
      int end = closingQuote(from, at);
      int rest = skipBlanks(end + 1);
      if (rest < length && text[rest] != '\n' && text[rest] != '#') {
        throw malformed(from, "something stands behind the closing quote of " + name);
      }
      return new Line(name, from, behindLine(rest), end - at - 1);
    }
    int to = behindLine(at);
    int end = at;
    for (int i = at; i < to && !isComment(at, i); i++) {
      if (!isBlank(text[i]) && text[i] != '\n') {
        end = i + 1;
      }
    }
    return new Line(name, from, to, end - at);
  }

  /** A {@code #} begins a comment at the beginning of a value or behind a blank. */
  private boolean isComment(int valueFrom, int at) {
    return text[at] == '#' && (at == valueFrom || isBlank(text[at - 1]));
  }

  private int closingQuote(int from, int open) throws Malformed {
    for (int at = open + 1; at < length; at++) {
      if (text[at] == text[open]) {
        return at;
      }
      if (text[at] == '\\' && text[open] == '"') {
        at++;
      }
    }
    throw malformed(from, "a quote is not closed");
  }

  private int skipBlanks(int at) {
    int to = at;
    while (to < length && isBlank(text[to])) {
      to++;
    }
    return to;
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
  }

  private int behindLine(int at) {
    int to = at;
    while (to < length && text[to] != '\n') {
      to++;
    }
    return Math.min(length, to + 1);
  }

  private Malformed malformed(int at, String how) {
    long before = CharBuffer.wrap(text, 0, at).chars().filter(c -> c == '\n').count();
    return new Malformed("line %d: %s".formatted(before + 1, how));
  }

  /** Names in the order in which they stand there. */
  Set<String> names() {
    return byName.keySet();
  }

  /** Whether there is nothing behind the {@code =}, or nothing between the quotes. */
  boolean isEmpty(String name) {
    Line line = byName.get(name);
    return line == null || line.valueChars() == 0;
  }

  /** Whether both say the same about a name, character by character. */
  boolean hasSame(String name, Dotenv other) {
    Line mine = byName.get(name);
    Line others = other.byName.get(name);
    return mine != null && others != null && trimmed(mine).compareTo(other.trimmed(others)) == 0;
  }

  private CharBuffer trimmed(Line line) {
    int to = line.to();
    while (to > line.from() && (isBlank(text[to - 1]) || text[to - 1] == '\n')) {
      to--;
    }
    return CharBuffer.wrap(text, line.from(), to - line.from());
  }

  /** The lines of these names, as UTF-8. The caller wipes it. */
  byte[] encode(Set<String> names) {
    var chosen = CharBuffer.allocate(length + 1);
    for (Line line : lines) {
      if (names.contains(line.name())) {
        append(chosen, this, line);
      }
    }
    return encode(chosen);
  }

  /**
   * This file with the other's lines in place of its own of the same names, and the rest of the
   * other's at its end; as UTF-8. The caller wipes it.
   */
  byte[] encodeWith(Dotenv other) {
    var merged = CharBuffer.allocate(length + other.length + lines.size() + other.lines.size());
    for (Line line : lines) {
      Line others = other.byName.get(line.name());
      append(merged, others == null ? this : other, others == null ? line : others);
    }
    for (Line line : other.byName.values()) {
      if (!byName.containsKey(line.name())) {
        append(merged, other, line);
      }
    }
    return encode(merged);
  }

  /** Appends a line that ends in a line feed, whether or not it was the last of its file. */
  private static void append(CharBuffer to, Dotenv from, Line line) {
    to.put(from.text, line.from(), line.to() - line.from());
    if (from.text[line.to() - 1] != '\n') {
      to.put('\n');
    }
  }

  private static byte[] encode(CharBuffer chars) {
    chars.flip();
    byte[] bytes = Utf8.encode(chars);
    Arrays.fill(chars.array(), '\0');
    return bytes;
  }

  @Override
  public void close() {
    Arrays.fill(text, '\0');
  }

  @Override
  public String toString() {
    return "Dotenv " + names();
  }
}
