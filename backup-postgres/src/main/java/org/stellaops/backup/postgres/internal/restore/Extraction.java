package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.manifest.FileContents;
import org.stellaops.backup.postgres.internal.manifest.FileLedger;
import org.stellaops.backup.postgres.internal.tar.TarMember;
import org.stellaops.backup.postgres.internal.tar.TarScanner;

/**
 * Unpacks one archive into a directory, and compares every file with the manifest as soon as it is
 * written. Closing it closes a file that was left half written.
 */
final class Extraction implements TarScanner.Members, AutoCloseable {
  private final Path into;
  private final String below;
  private final FileLedger ledger;
  private final Executor executor;
  private final CRC32C crc = new CRC32C();
  private @Nullable FileChannel file;
  private @Nullable EarlySync syncing;

  /**
   * For one archive.
   *
   * @param into an empty directory, or one that holds other archives' files
   * @param below what goes before its paths in the manifest
   * @param ledger knows already what the manifest declares
   */
  Extraction(Path into, String below, FileLedger ledger, Executor executor) {
    this.into = into;
    this.below = below;
    this.ledger = ledger;
    this.executor = executor;
  }

  @Override
  public void begin(TarMember member) throws IOException {
    Path path = place(member.path());
    try {
      if (member.isDirectory()) {
        Directories.create(path);
      } else {
        Directories.create(Directories.above(path));
        crc.reset();
        FileChannel made = Directories.createFile(path);
        file = made;
        syncing = new EarlySync(made, executor);
      }
    } catch (IOException e) {
      throw failed(path, e);
    }
  }

  @Override
  public void content(byte[] bytes, int offset, int length) throws IOException {
    crc.update(bytes, offset, length);
    FileChannel open = file;
    EarlySync early = syncing;
    if (open == null || early == null) {
      throw new AssertionError("the scanner reports content of files only, after their beginning");
    }
    try {
      for (ByteBuffer left = ByteBuffer.wrap(bytes, offset, length); left.hasRemaining(); ) {
        open.write(left);
      }
      early.written(length);
    } catch (IOException e) {
      throw failed(into, e);
    }
  }

  @Override
  public void end(TarMember member) throws IOException {
    close();
    if (!member.isDirectory()) {
      ledger.find(below + member.path(), FileContents.of(member.sizeBytes(), crc));
      requireNone(ledger.problems());
    }
  }

  /** A letter for which the encoding of this process's locale has nothing has no path. */
  private Path place(String member) throws BackupException.Target {
    try {
      return into.resolve(member);
    } catch (InvalidPathException e) {
      throw new BackupException.Target(
          CoreFailure.TARGET_FAILED,
          "write '%s' below %s: %s; hint: restore by a JVM whose locale is a UTF-8 one, such as LC_ALL=C.UTF-8"
              .formatted(member, into, e.getReason()),
          e);
    }
  }

  static void requireNone(List<String> problems) throws BackupException.Corrupt {
    if (!problems.isEmpty()) {
      throw new BackupException.Corrupt(
          PostgresFailure.MANIFEST_DIFFERS,
          "not what backup_manifest says: " + String.join("; ", problems));
    }
  }

  @Override
  public void close() throws IOException {
    FileChannel open = file;
    EarlySync early = syncing;
    file = null;
    syncing = null;
    if (open != null && early != null) {
      try (open) {
        early.close();
      }
    }
  }

  private static BackupException.Target failed(Path path, IOException e) {
    return new BackupException.Target(
        CoreFailure.TARGET_FAILED, "write %s: %s".formatted(path, e), e);
  }
}
