package org.stellaops.backup.bundle;

import java.nio.charset.StandardCharsets;

/** What a file is by the bytes it begins with: a name says what somebody believed it to be. */
enum FirstBytes {
  AGE("an age file"),
  ARMORED_AGE("an armored age file"),
  GZIP("a gzip file"),
  ZSTD("a zstd file"),
  TAR("a tar"),
  MONGODUMP("an archive of mongodump"),
  EMPTY("empty"),
  UNKNOWN("of no kind that is known here");

  /** As many as it takes to tell. */
  static final int WANTED = 512;

  private static final String AGE_LINE = "age-encryption.org/";
  private static final String ARMOR_LINE = "-----BEGIN AGE ENCRYPTED FILE-----";

  /** Little endian 0x8199e26d, the magic number of mongo-tools' archive format. */
  private static final String MONGODUMP_MAGIC = "m\u00e2\u0099\u0081";

  private final String words;

  FirstBytes(String words) {
    this.words = words;
  }

  /** What a sentence calls it. */
  String words() {
    return words;
  }

  /** Whether it takes an identity to say more. */
  boolean isSealed() {
    return this == AGE || this == ARMORED_AGE;
  }

  static FirstBytes of(byte[] head) {
    String text = new String(head, StandardCharsets.ISO_8859_1);
    if (head.length == 0) {
      return EMPTY;
    }
    if (text.startsWith(AGE_LINE)) {
      return AGE;
    }
    if (text.startsWith(ARMOR_LINE)) {
      return ARMORED_AGE;
    }
    if (text.startsWith("\u001f\u008b")) {
      return GZIP;
    }
    if (text.startsWith("(\u00b5/\u00fd")) {
      return ZSTD;
    }
    if (text.startsWith(MONGODUMP_MAGIC)) {
      return MONGODUMP;
    }
    return text.startsWith("ustar", 257) ? TAR : UNKNOWN;
  }
}
