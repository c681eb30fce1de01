package org.stellaops.backup.mongo.internal.oplog;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.bson.RawBsonDocument;

/**
 * A BSON document as the bytes that it is, read element by element. Nothing is decoded that is not
 * asked for, so what is copied from one document to another stays as it was: field order, numeric
 * types, names that occur twice. Malformed bytes end in an {@link IllegalArgumentException}.
 */
final class RawDocument implements Iterable<RawElement> {
  /** What an empty document is: its length, and the zero at its end. */
  static final RawDocument EMPTY = new RawDocument(new byte[] {5, 0, 0, 0, 0}, 0, 5);

  private final byte[] array;
  private final int start;
  private final int length;

  /** A part of an array, which is not copied. */
  RawDocument(byte[] array, int start, int length) {
    boolean isDocument =
        length >= 5
            && start >= 0
            && start + length <= array.length
            && int32(array, start) == length
            && array[start + length - 1] == 0;
    if (!isDocument) {
      throw new IllegalArgumentException("no BSON document of %d bytes".formatted(length));
    }
    this.array = array;
    this.start = start;
    this.length = length;
  }

  static RawDocument of(byte[] whole) {
    return new RawDocument(whole, 0, whole.length);
  }

  /** The same bytes as the driver has them. */
  static RawDocument of(RawBsonDocument document) {
    ByteBuffer bytes = document.getByteBuffer().asNIO();
    if (bytes.hasArray()) {
      return new RawDocument(
          bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
    }
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    return of(copy);
  }

  static int int32(byte[] array, int at) {
    return (array[at] & 0xff)
        | (array[at + 1] & 0xff) << 8
        | (array[at + 2] & 0xff) << 16
        | (array[at + 3] & 0xff) << 24;
  }

  static long int64(byte[] array, int at) {
    return (int32(array, at) & 0xffffffffL) | (long) int32(array, at + 4) << 32;
  }

  byte[] array() {
    return array;
  }

  int start() {
    return start;
  }

  int length() {
    return length;
  }

  boolean isEmpty() {
    return length == EMPTY.length;
  }

  /** A document of its own that keeps nothing else alive. */
  RawDocument copied() {
    return of(bytes());
  }

  byte[] bytes() {
    return Arrays.copyOfRange(array, start, start + length);
  }

  /** For the driver, without copying. */
  RawBsonDocument forDriver() {
    return new RawBsonDocument(array, start, length);
  }

  /** The first element of a name. */
  Optional<RawElement> find(String name) {
    for (RawElement element : this) {
      if (element.name().equals(name)) {
        return Optional.of(element);
      }
    }
    return Optional.empty();
  }

  /** The first element of a name, which has to be there. */
  RawElement get(String name) {
    return find(name).orElseThrow(() -> new IllegalArgumentException("no field " + name));
  }

  /** The first element; commands begin with their name. */
  RawElement first() {
    Iterator<RawElement> elements = iterator();
    if (!elements.hasNext()) {
      throw new IllegalArgumentException("an empty document");
    }
    return elements.next();
  }

  /** Whether an element of a name stands for true. */
  boolean isTrue(String name) {
    return find(name).filter(RawElement::isTrue).isPresent();
  }

  @Override
  public Iterator<RawElement> iterator() {
    return new Elements();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RawDocument that
        && Arrays.equals(
            array, start, start + length, that.array, that.start, that.start + that.length);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes());
  }

  /** As Extended JSON; for messages of tests only, since documents are nobody's business. */
  @Override
  public String toString() {
    return forDriver().toJson();
  }

  /** From the length to the zero at the end. */
  private final class Elements implements Iterator<RawElement> {
    private final int end = start + length - 1;
    private int at = start + Integer.BYTES;

    @Override
    public boolean hasNext() {
      return at < end;
    }

    @Override
    public RawElement next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      byte type = array[at];
      int nameEnd = endOfText(at + 1);
      String name = new String(array, at + 1, nameEnd - at - 1, StandardCharsets.UTF_8);
      int value = nameEnd + 1;
      int bytes = valueLength(type, value);
      if (bytes < 0 || bytes > end - value) {
        throw new IllegalArgumentException("field %s reaches beyond its document".formatted(name));
      }
      at = value + bytes;
      return new RawElement(array, type, name, value, bytes);
    }

    private int endOfText(int from) {
      int zero = from;
      while (zero < end && array[zero] != 0) {
        zero++;
      }
      if (zero >= end) {
        throw new IllegalArgumentException("a text without an end");
      }
      return zero;
    }

    /** BSON 1.1, element by element; -1 where the value cannot be. */
    private int valueLength(byte type, int value) {
      return switch (type) {
        case 0x06, 0x0A, 0x7F, (byte) 0xFF -> 0;
        case 0x08 -> 1;
        case 0x10 -> 4;
        case 0x01, 0x09, 0x11, 0x12 -> 8;
        case 0x07 -> 12;
        case 0x13 -> 16;
        case 0x02, 0x0D, 0x0E -> stated(value, 1, Integer.BYTES);
        case 0x0C -> stated(value, 1, Integer.BYTES + 12);
        case 0x05 -> stated(value, 0, Integer.BYTES + 1);
        case 0x03, 0x04 -> stated(value, 5, 0);
        case 0x0F -> stated(value, 14, 0);
        case 0x0B -> endOfText(endOfText(value) + 1) + 1 - value;
        default -> throw new IllegalArgumentException("BSON type %d".formatted(type & 0xff));
      };
    }

    private int stated(int value, int atLeast, int more) {
      if (end - value < Integer.BYTES) {
        return -1;
      }
      int bytes = int32(array, value);
      return bytes < atLeast || bytes > end - value ? -1 : bytes + more;
    }
  }
}
