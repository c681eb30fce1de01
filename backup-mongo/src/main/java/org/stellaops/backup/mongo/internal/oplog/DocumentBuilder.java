package org.stellaops.backup.mongo.internal.oplog;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes a BSON document of elements that are copied as they are. */
final class DocumentBuilder {
  private byte[] bytes;
  private int size;

  /** Room for so many bytes at first. */
  DocumentBuilder(int expectedBytes) {
    bytes = new byte[Math.max(64, expectedBytes)];
    begin();
  }

  /** Begins a document or array within; the place is what {@link #end} wants. */
  int begin(byte type, String name) {
    header(type, name);
    return begin();
  }

  private int begin() {
    int place = size;
    ensure(Integer.BYTES);
    size += Integer.BYTES;
    return place;
  }

  /** Ends what was begun at a place. */
  void end(int place) {
    ensure(1);
    bytes[size++] = 0;
    int length = size - place;
    for (int i = 0; i < Integer.BYTES; i++) {
      bytes[place + i] = (byte) (length >>> (8 * i));
    }
  }

  /** An element under its own name. */
  DocumentBuilder add(RawElement element) {
    return add(element.name(), element);
  }

  /** The value of an element under a name. */
  DocumentBuilder add(String name, RawElement value) {
    header(value.type(), name);
    ensure(value.length());
    System.arraycopy(value.array(), value.start(), bytes, size, value.length());
    size += value.length();
    return this;
  }

  DocumentBuilder add(String name, RawDocument value) {
    header(RawElement.DOCUMENT, name);
    ensure(value.length());
    System.arraycopy(value.array(), value.start(), bytes, size, value.length());
    size += value.length();
    return this;
  }

  DocumentBuilder add(String name, String value) {
    byte[] text = value.getBytes(StandardCharsets.UTF_8);
    header(RawElement.STRING, name);
    ensure(text.length + 5);
    int length = text.length + 1;
    for (int i = 0; i < Integer.BYTES; i++) {
      bytes[size++] = (byte) (length >>> (8 * i));
    }
    System.arraycopy(text, 0, bytes, size, text.length);
    size += text.length;
    bytes[size++] = 0;
    return this;
  }

  DocumentBuilder addNull(String name) {
    header(RawElement.NULL, name);
    return this;
  }

  /** The whole document; nothing can be added any more. */
  RawDocument finish() {
    end(0);
    return RawDocument.of(Arrays.copyOf(bytes, size));
  }

  private void header(byte type, String name) {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    ensure(text.length + 2);
    bytes[size++] = type;
    System.arraycopy(text, 0, bytes, size, text.length);
    size += text.length;
    bytes[size++] = 0;
  }

  private void ensure(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(size + more, bytes.length * 2));
    }
  }
}
