package org.stellaops.backup.crypto;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.stellaops.backup.crypto.internal.files.NewFile;
import org.stellaops.backup.spi.Encryptor.Sealing;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;

/**
 * Single files to age and back, for tools. The result is readable by its owner alone from its first
 * byte on, and appears under its name when it is complete and durable, or not at all. Nothing is
 * overwritten. Memory does not depend on the size.
 */
public final class AgeFile {
  private static final int BUFFER_BYTES = 256 * 1024;

  private AgeFile() {}

  /**
   * Encrypts a file.
   *
   * @param format {@link Age#format}, or {@link Age#parallel} for large files
   * @param to in a directory that exists
   * @throws java.nio.file.FileAlreadyExistsException if {@code to} is there
   * @throws org.stellaops.backup.model.BackupException as {@link SealedFormat#seal} says
   */
  public static void encrypt(
      SealedFormat format, Path from, Path to, List<? extends Recipient> recipients)
      throws IOException {
    try (InputStream plain = Files.newInputStream(from);
        NewFile file = NewFile.beside(to);
        Sealing sealing = format.seal(file.stream(), recipients)) {
      copy(plain, sealing);
      sealing.finish();
      file.publishAsNew();
    }
  }

  /**
   * Decrypts a file, armored or not. What was decrypted appears only if all of it authenticated.
   *
   * @param format {@link Age#format}, or {@link Age#parallel} for large files
   * @param to in a directory that exists
   * @throws java.nio.file.FileAlreadyExistsException if {@code to} is there
   * @throws org.stellaops.backup.model.BackupException as {@link SealedFormat#open(InputStream,
   *     List)} says
   */
  public static void decrypt(
      SealedFormat format, Path from, Path to, List<? extends Identity> identities)
      throws IOException {
    try (InputStream sealed = Files.newInputStream(from);
        InputStream plain = format.open(sealed, identities);
        NewFile file = NewFile.beside(to)) {
      copy(plain, file.stream());
      file.publishAsNew();
    }
  }

  /** Larger steps than {@link InputStream#transferTo}, whose 8 KiB cost a third of the speed. */
  private static void copy(InputStream from, OutputStream to) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    for (int read; (read = from.read(buffer)) >= 0; ) {
      to.write(buffer, 0, read);
    }
  }
}
