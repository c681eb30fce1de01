package org.stellaops.backup.mongo.internal.archive;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Whether bytes are one BSON document: types, lengths and final zeros fit into each other, all the
 * way down. Values are not looked into. Text that is not UTF-8 is no problem, since servers store
 * it; it is told apart.
 *
 * <p>No objects, and no recursion: how deep documents nest is up to whoever wrote them. An instance
 * keeps the ends of the documents it is inside of; one thread.
 */
public final class DocumentShape {
  /**
   * A server nests 200 deep (MongoDB manual, Limits and Thresholds); its own entries a few more.
   */
  private static final int MAX_DEPTH = 256;

  /** Bytes of each type's value where that is fixed, else one of the kinds below. */
  private static final byte[] SIZES = new byte[256];

  private static final byte STRING = -1;
  private static final byte NESTED = -2;
  private static final byte BINARY = -3;
  private static final byte REGEX = -4;
  private static final byte POINTER = -5;
  private static final byte SCOPED = -6;
  private static final byte UNKNOWN = -7;

  static {
    Arrays.fill(SIZES, UNKNOWN);
    byte[] known = {
      0x01,
      8,
      0x02,
      STRING,
      0x03,
      NESTED,
      0x04,
      NESTED,
      0x05,
      BINARY,
      0x06,
      0,
      0x07,
      12,
      0x08,
      1,
      0x09,
      8,
      0x0a,
      0,
      0x0b,
      REGEX,
      0x0c,
      POINTER,
      0x0d,
      STRING,
      0x0e,
      STRING,
      0x0f,
      SCOPED,
      0x10,
      4,
      0x11,
      8,
      0x12,
      8,
      0x13,
      16,
      0x7f,
      0,
      (byte) 0xff,
      0
    };
    for (int i = 0; i < known.length; i += 2) {
      SIZES[known[i] & 0xff] = known[i + 1];
    }
  }

  private final int[] ends = new int[MAX_DEPTH];

  /** Of the document that is looked at. */
  private byte[] buffer = {};

  private int limit;
  private boolean hasInvalidText;

  /**
   * What is wrong with the document, for a message; null where nothing is.
   *
   * @param length that its first four bytes say
   */
  public @Nullable String problem(byte[] bytes, int offset, int length) {
    buffer = bytes;
    limit = offset + length;
    hasInvalidText = false;
    if (length < ArchiveFormat.MIN_DOCUMENT_BYTES
        || offset < 0
        || limit > bytes.length
        || int32(offset) != length) {
      return "its length is not " + length;
    }
    int at = walk(offset);
    return at < 0 ? "its structure breaks at byte %d".formatted(-at - 1 - offset) : null;
  }

  /** Whether a name or a text of the document that was looked at last is not UTF-8. */
  public boolean hasInvalidText() {
    return hasInvalidText;
  }

  /** The end, or {@code -1 - position} of what is wrong. */
  private int walk(int offset) {
    int depth = 0;
    ends[0] = limit - 1;
    int at = offset + Integer.BYTES;
    while (true) {
      int end = ends[depth];
      if (at == end) {
        if (buffer[at] != 0) {
          return -1 - at;
        }
        at++;
        if (depth-- == 0) {
          return at;
        }
        continue;
      }
      if (at > end) {
        return -1 - at;
      }
      int size = SIZES[buffer[at] & 0xff];
      int value = afterText(at + 1, end);
      if (value < 0) {
        return -1 - at;
      }
      int next = size >= 0 ? value + size : variable(size, value, end);
      if (next < 0 || next > end) {
        return -1 - at;
      }
      if (size == NESTED || size == SCOPED) {
        if (++depth == MAX_DEPTH) {
          return -1 - at;
        }
        ends[depth] = next - 1;
        at = size == NESTED ? value + Integer.BYTES : scopeOf(value) + Integer.BYTES;
      } else {
        at = next;
      }
    }
  }

  /** Where the value ends, negative where it cannot. */
  private int variable(int size, int value, int end) {
    return switch (size) {
      case STRING -> afterString(value, end);
      case NESTED -> afterDocument(value, end);
      case BINARY -> afterBinary(value, end);
      case REGEX -> {
        int options = afterText(value, end);
        yield options < 0 ? -1 : afterText(options, end);
      }
      case POINTER -> {
        int id = afterString(value, end);
        yield id < 0 ? -1 : id + 12;
      }
      case SCOPED -> afterScoped(value, end);
      default -> -1;
    };
  }

  private int afterText(int from, int end) {
    byte[] bytes = buffer;
    int high = 0;
    for (int at = from; at < end; at++) {
      if (bytes[at] == 0) {
        if (high < 0) {
          look(from, at);
        }
        return at + 1;
      }
      high |= bytes[at];
    }
    return -1;
  }

  private int afterString(int value, int end) {
    if (end - value < Integer.BYTES) {
      return -1;
    }
    int length = int32(value);
    int next = value + Integer.BYTES + length;
    if (length < 1 || length > end - value - Integer.BYTES || buffer[next - 1] != 0) {
      return -1;
    }
    look(value + Integer.BYTES, next - 1);
    return next;
  }

  private void look(int from, int to) {
    hasInvalidText |= !Utf8.isValid(buffer, from, to);
  }

  private int afterDocument(int value, int end) {
    if (end - value < ArchiveFormat.MIN_DOCUMENT_BYTES) {
      return -1;
    }
    int length = int32(value);
    return length < ArchiveFormat.MIN_DOCUMENT_BYTES || length > end - value ? -1 : value + length;
  }

  private int afterBinary(int value, int end) {
    if (end - value < Integer.BYTES + 1) {
      return -1;
    }
    int length = int32(value);
    return length < 0 || length > end - value - Integer.BYTES - 1
        ? -1
        : value + Integer.BYTES + 1 + length;
  }

  /** int32 of the whole, a string, a document that ends with the whole. */
  private int afterScoped(int value, int end) {
    int next = afterDocument(value, end);
    int scope = next < 0 ? -1 : afterString(value + Integer.BYTES, next);
    return scope < 0 || afterDocument(scope, next) != next ? -1 : next;
  }

  private int scopeOf(int value) {
    return afterString(value + Integer.BYTES, limit);
  }

  private int int32(int at) {
    return (buffer[at] & 0xff)
        | (buffer[at + 1] & 0xff) << 8
        | (buffer[at + 2] & 0xff) << 16
        | (buffer[at + 3] & 0xff) << 24;
  }
}
