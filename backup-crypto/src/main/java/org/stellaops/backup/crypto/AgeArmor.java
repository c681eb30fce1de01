package org.stellaops.backup.crypto;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import org.stellaops.backup.crypto.internal.age.ArmorStream;

/**
 * Age files as text (age-encryption.org/v1, "ASCII armor"), for mail and paper. For small files
 * such as identities: both forms are held in memory. {@link Age#open(InputStream, java.util.List)}
 * takes armor off by itself, streaming.
 */
public final class AgeArmor {
  private static final Base64.Encoder LINES =
      Base64.getMimeEncoder(ArmorStream.COLUMNS, new byte[] {'\n'});

  private AgeArmor() {}

  /** The text of an age file, with a line end behind each line. */
  public static String encode(byte[] file) {
    String body = new String(LINES.encode(file), US_ASCII);
    return ArmorStream.BEGIN + "\n" + body + "\n" + ArmorStream.END + "\n";
  }

  /**
   * The age file of a text.
   *
   * @throws org.stellaops.backup.model.BackupException.Corrupt MALFORMED or TRUNCATED
   */
  public static byte[] decode(String text) throws IOException {
    try (InputStream binary = new ArmorStream(new ByteArrayInputStream(text.getBytes(US_ASCII)))) {
      return binary.readAllBytes(); // less than the text, which is in memory already
    }
  }
}
