package org.stellaops.backup.crypto.internal.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** Reads small files that hold secrets. */
public final class KeyFiles {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rwx------");

  private KeyFiles() {}

  /**
   * Refuses a file that others than its owner may read, write or execute. Symbolic links are
   * followed. File systems without modes are not judged.
   *
   * @throws BackupException.Crypto KEY_FILE_EXPOSED or KEY_UNAVAILABLE
   */
  public static void requireOwnerOnly(Path path) throws BackupException.Crypto {
    if (!NewFile.hasModes(path)) {
      return;
    }
    try {
      Set<PosixFilePermission> mode = Files.getPosixFilePermissions(path);
      if (!OWNER_ONLY.containsAll(mode)) {
        throw new BackupException.Crypto(
            CoreFailure.KEY_FILE_EXPOSED,
            "%s has mode %s, rw------- expected"
                .formatted(path, PosixFilePermissions.toString(mode)));
      }
    } catch (BackupException.Crypto e) {
      throw e;
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /**
   * All bytes; the caller wipes them.
   *
   * @throws BackupException.Crypto KEY_UNAVAILABLE, or BAD_KEY above {@code maxBytes}
   */
  public static byte[] read(Path path, int maxBytes) throws BackupException.Crypto {
    byte[] bytes;
    try (InputStream file = Files.newInputStream(path)) {
      bytes = file.readNBytes(maxBytes + 1);
    } catch (IOException e) {
      throw unreadable(path, e);
    }
    if (bytes.length > maxBytes) {
      Arrays.fill(bytes, (byte) 0);
      throw new BackupException.Crypto(
          CoreFailure.BAD_KEY, "%s has more than %d bytes".formatted(path, maxBytes));
    }
    return bytes;
  }

  private static BackupException.Crypto unreadable(Path path, IOException cause) {
    String found = cause instanceof NoSuchFileException ? "no such file" : cause.toString();
    return new BackupException.Crypto(
        CoreFailure.KEY_UNAVAILABLE, "cannot read key file %s: %s".formatted(path, found), cause);
  }
}
