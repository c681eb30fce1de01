package org.stellaops.backup.internal.repository;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.Stopping;

/**
 * Lists of packs in {@code sha256sum} form. Packs stand in the order in which they were made, and a
 * list ends after a digest that begins with {@code 000}: so an unchanged part of the sequence is
 * the same object again.
 */
public final class PackLists {
  private static final String LAST_OF_A_LIST = "000";
  private static final long MAX_BYTES = 64L << 20;
  private static final Pattern LINE = Pattern.compile("([0-9a-f]{64})  (w/[a-z0-9._/-]{1,300})");

  private final StoreAccess store;
  private final String writer;
  private final IoPredicate<ObjectRef> isDoomed;

  /** Lists of this writer's packs. */
  public PackLists(StoreAccess store, String writer) {
    this(store, writer, list -> false);
  }

  /**
   * Lists of this writer's packs.
   *
   * @param isDoomed lists that no entry may name any more
   */
  public PackLists(StoreAccess store, String writer, IoPredicate<ObjectRef> isDoomed) {
    this.store = store;
    this.writer = writer;
    this.isDoomed = isDoomed;
  }

  /** Stores the lists of these packs, which are in the order of creation. */
  public List<ObjectRef> write(Iterable<ObjectRef> packs) throws IOException {
    List<ObjectRef> lists = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (ObjectRef pack : packs) {
      text.append(pack.stored().hex()).append("  ").append(pack.name().value()).append('\n');
      if (pack.stored().hex().startsWith(LAST_OF_A_LIST)) {
        lists.add(put(text));
        text.setLength(0);
      }
    }
    if (text.length() > 0) {
      lists.add(put(text));
    }
    return lists;
  }

  /** The same packs under a name that is not doomed: the last one is named once more. */
  private ObjectRef put(StringBuilder text) throws IOException {
    String last = text.substring(text.lastIndexOf("\n", text.length() - 2) + 1);
    while (true) {
      ObjectBody body = ObjectBody.of(text.toString().getBytes(StandardCharsets.US_ASCII));
      ObjectRef ref = Names.list(writer, body.digest(), body.lengthBytes());
      if (!isDoomed.test(ref)) {
        store.putContent(ref, body);
        return ref;
      }
      text.append(last);
    }
  }

  /** Takes what a list names. */
  @FunctionalInterface
  public interface Named {
    /** Takes one. */
    void accept(ObjectRef object) throws IOException;
  }

  /** Reads a list, which must be exactly the one that was signed, whatever it names. */
  public static void readNamed(StoreAccess store, ObjectRef list, Named named) throws IOException {
    readAny(store, list, named);
  }

  /** Reads a list, which must be exactly the one that was signed, and hands over its packs. */
  public static void read(StoreAccess store, ObjectRef list, Named packs) throws IOException {
    readAny(
        store,
        list,
        object -> {
          if (!object.isPack()) {
            throw malformed(list, object.name().value());
          }
          packs.accept(object);
        });
  }

  /** Reads a list, which must be exactly the one that was signed, of objects of any kind. */
  static void readAny(StoreAccess store, ObjectRef list, Named named) throws IOException {
    if (list.lengthBytes() > MAX_BYTES) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED, "%s is larger than %d bytes".formatted(list, MAX_BYTES));
    }
    store.verify(list, Stopping.never());
    MessageDigest digest = Digest.sha256();
    try (InputStream in =
            new DigestInputStream(
                new BoundedInput(
                    store.open(list.name(), ByteRange.ALL), list.lengthBytes(), list.toString()),
                digest);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        named.accept(object(line, list));
      }
    }
    if (!Digest.of(digest.digest()).equals(list.stored())) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT, list + " changed while it was read");
    }
  }

  private static ObjectRef object(String line, ObjectRef list) throws BackupException {
    Matcher match = LINE.matcher(line);
    if (match.matches()) {
      ObjectRef object = ObjectRef.parse(match.group(2));
      if (object.stored().hex().equals(match.group(1))) {
        return object;
      }
    }
    throw malformed(list, line);
  }

  private static BackupException malformed(ObjectRef list, String line) {
    return new BackupException.Corrupt(
        CoreFailure.MALFORMED,
        "%s has a line that names no pack: %s".formatted(list, Names.printable(line)));
  }
}
