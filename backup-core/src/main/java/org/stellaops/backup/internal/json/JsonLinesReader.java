package org.stellaops.backup.internal.json;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** One JSON object a line; no line longer than 1 MiB, however long the whole. */
public final class JsonLinesReader implements Closeable {
  /** Longest line. */
  public static final int MAX_LINE_BYTES = 1 << 20;

  private final InputStream in;
  private final String what;
  private byte[] line = new byte[8192];
  private int lineBytes;
  private long number;

  /**
   * @param in closed with this reader
   */
  public JsonLinesReader(InputStream in, String what) {
    this.in = new BufferedInputStream(in, 64 << 10);
    this.what = what;
  }

  /** The next object; empty at the end. */
  public Optional<JsonObject> next() throws IOException {
    int length = 0;
    int b = in.read();
    if (b < 0) {
      return Optional.empty();
    }
    number++;
    for (; b >= 0 && b != '\n'; b = in.read()) {
      if (length == MAX_LINE_BYTES) {
        throw new BackupException.Corrupt(
            CoreFailure.MALFORMED,
            "%s: line %d is longer than %d bytes".formatted(what, number, MAX_LINE_BYTES));
      }
      if (length == line.length) {
        line = Arrays.copyOf(line, length * 2);
      }
      line[length++] = (byte) b;
    }
    lineBytes = length;
    return Optional.of(Json.read(line, 0, length, what + " line " + number));
  }

  /** Length of the line that was read last, without its line feed. */
  public int lineBytes() {
    return lineBytes;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
