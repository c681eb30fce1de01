package org.stellaops.backup.internal.tar;

import java.util.Comparator;
import org.stellaops.backup.internal.disk.FileAttributes;

/**
 * One member of an archive.
 *
 * @param name relative path, without a final {@code /}
 * @param type what it is
 * @param sizeBytes of a file's bytes; 0 of anything else
 * @param linkTarget where a symbolic link leads; empty for anything else
 * @param attributes mode, owner, times, extended attributes
 */
public record TarMember(
    String name, Type type, long sizeBytes, String linkTarget, FileAttributes attributes) {
  /**
   * Order of members: by the bytes of their names, a directory's ending in {@code /}, so that
   * whatever is in a directory follows it at once.
   */
  public static final Comparator<String> BY_BYTES = TarMember::compareAsUtf8;

  /** What a member can be; everything else is not written and refused when read. */
  public enum Type {
    FILE('0', "file"),
    LINK('2', "link"),
    DIRECTORY('5', "directory");

    /** The byte {@code typeflag} of the header (POSIX pax, ustar interchange format). */
    final char flag;

    private final String word;

    Type(char flag, String word) {
      this.flag = flag;
      this.word = word;
    }

    /** As the index writes it. */
    public String word() {
      return word;
    }
  }

  /** A regular file. */
  public static TarMember file(String name, long sizeBytes, FileAttributes attributes) {
    return new TarMember(name, Type.FILE, sizeBytes, "", attributes);
  }

  /** A directory. */
  public static TarMember directory(String name, FileAttributes attributes) {
    return new TarMember(name, Type.DIRECTORY, 0, "", attributes);
  }

  /** A symbolic link. */
  public static TarMember link(String name, String target, FileAttributes attributes) {
    return new TarMember(name, Type.LINK, 0, target, attributes);
  }

  /**
   * Bytes of UTF-8 are in the order of code points; UTF-16 is, except that surrogates stand below
   * U+E000 to U+FFFF.
   */
  private static int compareAsUtf8(String a, String b) {
    int shared = Math.min(a.length(), b.length());
    for (int i = 0; i < shared; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        return Character.isSurrogate(x) == Character.isSurrogate(y)
            ? Character.compare(x, y)
            : Character.isSurrogate(x) ? 1 : -1;
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  /** The name as it stands in the archive: a directory's ends in {@code /}. */
  public String nameInArchive() {
    return type == Type.DIRECTORY ? name + "/" : name;
  }
}
