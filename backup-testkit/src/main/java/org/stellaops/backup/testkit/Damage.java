package org.stellaops.backup.testkit;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.stellaops.backup.model.ObjectName;

/**
 * One thing that disks, networks and intruders do to stored objects, and that can be undone:
 *
 * <pre>{@code
 * for (Damage damage : Damage.everyByte(sink.raw())) {
 *   damage.during(
 *       sink.raw(),
 *       () -> assertThrows(BackupException.Corrupt.class, () -> verify(sink), damage.toString()));
 * }
 * }</pre>
 *
 * <p>A value; {@link #toString} says what is done to which object at which byte.
 */
public final class Damage {
  private final String what;
  private final List<ObjectName> objects;
  private final Infliction infliction;

  private Damage(String what, List<ObjectName> objects, Infliction infliction) {
    this.what = what;
    this.objects = List.copyOf(objects);
    this.infliction = infliction;
  }

  /** One bit of one byte is the other one; bit 0 is the lowest. */
  public static Damage flip(ObjectName object, long offset, int bit) {
    return new Damage(
        "flip bit %d of %s at byte %d".formatted(bit, object, offset),
        List.of(object),
        raw -> {
          byte before = raw.read(object, offset);
          raw.write(object, offset, (byte) (before ^ 1 << bit));
          return () -> raw.write(object, offset, before);
        });
  }

  /** Only the first {@code lengthBytes} bytes are left. */
  public static Damage truncate(ObjectName object, long lengthBytes) {
    return new Damage(
        "truncate %s to %d bytes".formatted(object, lengthBytes),
        List.of(object),
        raw -> rewrite(raw, object, Arrays.copyOf(raw.read(object), Math.toIntExact(lengthBytes))));
  }

  /** More bytes follow. */
  public static Damage extend(ObjectName object, byte... more) {
    byte[] tail = more.clone();
    return new Damage(
        "extend %s by %d bytes".formatted(object, tail.length),
        List.of(object),
        raw -> rewrite(raw, object, concatenated(raw.read(object), tail)));
  }

  /** Each has the other's bytes. */
  public static Damage swap(ObjectName one, ObjectName other) {
    return new Damage(
        "swap %s and %s".formatted(one, other),
        List.of(one, other),
        raw -> {
          byte[] ofOne = raw.read(one);
          byte[] ofOther = raw.read(other);
          raw.write(one, ofOther);
          raw.write(other, ofOne);
          return () -> {
            raw.write(one, ofOne);
            raw.write(other, ofOther);
          };
        });
  }

  /** The object is gone. */
  public static Damage drop(ObjectName object) {
    return new Damage(
        "drop " + object,
        List.of(object),
        raw -> {
          byte[] before = raw.read(object);
          raw.remove(object);
          return () -> raw.write(object, before);
        });
  }

  /** The bytes of an older object stand under another name too, whether or not that exists. */
  public static Damage replay(ObjectName older, ObjectName as) {
    return new Damage(
        "replay %s as %s".formatted(older, as),
        List.of(as),
        raw -> {
          byte[] bytes = raw.read(older);
          if (raw.names().contains(as)) {
            return rewrite(raw, as, bytes);
          }
          raw.write(as, bytes);
          return () -> raw.remove(as);
        });
  }

  /**
   * A flip in every byte of every object, one bit each, which bit it is changes from byte to byte.
   */
  public static Iterable<Damage> everyByte(RawObjects objects) throws IOException {
    BytePlaces places = BytePlaces.of(objects);
    return () ->
        LongStream.range(0, places.count())
            .mapToObj(i -> flip(places.object(i), places.offset(i), (int) (i % Byte.SIZE)))
            .iterator();
  }

  /** A flip of every bit of every object. */
  public static Iterable<Damage> everyBit(RawObjects objects) throws IOException {
    BytePlaces places = BytePlaces.of(objects);
    return () ->
        LongStream.range(0, Math.multiplyExact(places.count(), Byte.SIZE))
            .mapToObj(i -> flipBit(places, i / Byte.SIZE, (int) (i % Byte.SIZE)))
            .iterator();
  }

  /**
   * Flips of {@code n} bits, each byte of all objects as likely as any other. The seed is in each
   * one's text.
   */
  public static Iterable<Damage> seeded(RawObjects objects, long seed, int n) throws IOException {
    BytePlaces places = BytePlaces.of(objects);
    return () -> {
      var random = new Random(seed);
      return IntStream.range(0, n)
          .mapToObj(
              i ->
                  flipBit(
                          places,
                          Math.floorMod(random.nextLong(), places.count()),
                          random.nextInt(Byte.SIZE))
                      .noting("number %d of seed %d".formatted(i, seed)))
          .iterator();
    };
  }

  /** Every object cut to every length shorter than its own. */
  public static Iterable<Damage> everyTruncation(RawObjects objects) throws IOException {
    BytePlaces places = BytePlaces.of(objects);
    return () ->
        LongStream.range(0, places.count())
            .mapToObj(i -> truncate(places.object(i), places.offset(i)))
            .iterator();
  }

  /** Every object dropped. */
  public static Iterable<Damage> everyDrop(RawObjects objects) throws IOException {
    List<ObjectName> names = List.copyOf(objects.names());
    return () -> names.stream().map(Damage::drop).iterator();
  }

  /** Every pair of objects with unequal bytes swapped. */
  public static Iterable<Damage> everySwap(RawObjects objects) throws IOException {
    List<Damage> swaps = new ArrayList<>();
    List<ObjectName> names = List.copyOf(objects.names());
    for (int i = 0; i < names.size(); i++) {
      byte[] one = objects.read(names.get(i));
      for (ObjectName other : names.subList(i + 1, names.size())) {
        if (!Arrays.equals(one, objects.read(other))) {
          swaps.add(swap(names.get(i), other));
        }
      }
    }
    return swaps;
  }

  /**
   * Does it.
   *
   * @return makes the objects again what they were; the caller closes
   */
  public Undo inflict(RawObjects on) throws IOException {
    return infliction.on(on);
  }

  /** Does it, does the work, and undoes it, however the work ended. */
  public <E extends Exception> void during(RawObjects on, Work<E> work) throws IOException, E {
    try (Undo undo = inflict(on)) {
      Objects.requireNonNull(undo);
      work.run();
    }
  }

  /** The objects that are damaged by it: what a good report names. */
  public List<ObjectName> objects() {
    return objects;
  }

  @Override
  public String toString() {
    return what;
  }

  private static Damage flipBit(BytePlaces places, long index, int bit) {
    return flip(places.object(index), places.offset(index), bit);
  }

  private Damage noting(String note) {
    return new Damage(what + " (" + note + ")", objects, infliction);
  }

  private static Undo rewrite(RawObjects raw, ObjectName object, byte[] bytes) throws IOException {
    byte[] before = raw.read(object);
    raw.write(object, bytes);
    return () -> raw.write(object, before);
  }

  private static byte[] concatenated(byte[] head, byte[] tail) {
    byte[] all = Arrays.copyOf(head, head.length + tail.length);
    System.arraycopy(tail, 0, all, head.length, tail.length);
    return all;
  }

  /** Takes the damage back. */
  @FunctionalInterface
  public interface Undo extends Closeable {
    /** The objects are again what they were. Once. */
    @Override
    void close() throws IOException;
  }

  /**
   * What is done while something is damaged.
   *
   * @param <E> what it throws
   */
  @FunctionalInterface
  public interface Work<E extends Exception> {
    /** Does it. */
    void run() throws E;
  }

  @FunctionalInterface
  private interface Infliction {
    Undo on(RawObjects raw) throws IOException;
  }
}
