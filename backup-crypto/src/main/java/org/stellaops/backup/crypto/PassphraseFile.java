package org.stellaops.backup.crypto;

import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.Arrays;
import org.stellaops.backup.crypto.internal.age.Utf8;
import org.stellaops.backup.crypto.internal.files.KeyFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;

/**
 * A passphrase in a file: UTF-8, at most 4 KiB. One line end at its end (LF or CRLF) is the
 * editor's and taken off; every other character, white space included, is part of the passphrase.
 */
public final class PassphraseFile {
  private static final int MAX_BYTES = 4096;

  private PassphraseFile() {}

  /**
   * The passphrase; the caller closes it.
   *
   * @throws BackupException.Crypto KEY_FILE_EXPOSED if others than its owner may read the file,
   *     KEY_UNAVAILABLE if it cannot be read, BAD_KEY if it is empty, too long or not UTF-8
   */
  public static Secret read(Path path) throws BackupException.Crypto {
    KeyFiles.requireOwnerOnly(path);
    return readEvenIfExposed(path);
  }

  /**
   * Like {@link #read}, whoever may read the file: for mounted secrets whose mode the platform
   * chooses.
   */
  public static Secret readEvenIfExposed(Path path) throws BackupException.Crypto {
    byte[] bytes = KeyFiles.read(path, MAX_BYTES);
    byte[] passphrase = Arrays.copyOf(bytes, lengthWithoutLineEnd(bytes));
    try {
      if (passphrase.length == 0) {
        throw badKey(path, "is empty");
      }
      return Utf8.decode(passphrase);
    } catch (CharacterCodingException e) {
      throw badKey(path, "is not UTF-8");
    } finally {
      Arrays.fill(bytes, (byte) 0);
      Arrays.fill(passphrase, (byte) 0);
    }
  }

  private static int lengthWithoutLineEnd(byte[] bytes) {
    int length = bytes.length;
    if (length == 0 || bytes[length - 1] != '\n') {
      return length;
    }
    return length > 1 && bytes[length - 2] == '\r' ? length - 2 : length - 1;
  }

  private static BackupException.Crypto badKey(Path path, String how) {
    return new BackupException.Crypto(
        CoreFailure.BAD_KEY, "passphrase file %s %s".formatted(path, how));
  }
}
