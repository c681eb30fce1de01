package org.stellaops.backup.testkit;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The first line and the header lines of an HTTP/1.1 message. */
record HttpHead(String firstLine, List<String> headerLines) {
  private static final int MAX_HEAD_BYTES = 256 * 1024;

  HttpHead {
    headerLines = List.copyOf(headerLines);
  }

  /** The next head of a connection; null if the connection ended before it. */
  static @Nullable HttpHead read(InputStream in) throws IOException {
    String first = readLine(in);
    if (first == null) {
      return null;
    }
    var lines = new ArrayList<String>();
    int bytes = first.length();
    for (String line = lineOf(in); !line.isEmpty(); line = lineOf(in)) {
      bytes += line.length();
      if (bytes > MAX_HEAD_BYTES) {
        throw new IOException("a head of more than " + MAX_HEAD_BYTES + " bytes");
      }
      lines.add(line);
    }
    return new HttpHead(first, lines);
  }

  /** A line that has to be there, without its end. */
  static String lineOf(InputStream in) throws IOException {
    String line = readLine(in);
    if (line == null) {
      throw new EOFException("the connection ended within a message");
    }
    return line;
  }

  private static @Nullable String readLine(InputStream in) throws IOException {
    var line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        return null;
      }
      if (line.size() > MAX_HEAD_BYTES) {
        throw new IOException("a line of more than " + MAX_HEAD_BYTES + " bytes");
      }
      line.write(b);
    }
    String text = line.toString(StandardCharsets.ISO_8859_1);
    return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
  }

  /** By name in lower case. */
  Map<String, String> headers() {
    var headers = new HashMap<String, String>();
    for (String line : headerLines) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        headers.put(
            line.substring(0, colon).trim().toLowerCase(Locale.ROOT),
            line.substring(colon + 1).trim());
      }
    }
    return headers;
  }

  /** The same without a header. */
  HttpHead without(String name) {
    String prefix = name + ":";
    return new HttpHead(
        firstLine,
        headerLines.stream()
            .filter(line -> !line.regionMatches(true, 0, prefix, 0, prefix.length()))
            .toList());
  }

  /** As it is sent. */
  byte[] bytes() {
    var text = new StringBuilder(firstLine).append("\r\n");
    headerLines.forEach(line -> text.append(line).append("\r\n"));
    return text.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
  }
}
