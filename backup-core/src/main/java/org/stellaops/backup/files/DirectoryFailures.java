package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;

/** What the operating system says about files, as failures of a store. */
final class DirectoryFailures {
  /** A file system with less than this is full for us, whatever the words of its error. */
  private static final long FULL_BELOW_BYTES = 64 << 10;

  private final Path root;

  DirectoryFailures(Path root) {
    this.root = root;
  }

  BackupException.Sink translate(String tried, IOException e) {
    if (e instanceof BackupException.Sink already) {
      return already;
    }
    String message = "%s in %s: %s".formatted(tried, root, words(e));
    if (e instanceof NoSuchFileException) {
      return new BackupException.Sink(CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, message, e);
    }
    if (e instanceof FileAlreadyExistsException) {
      return new BackupException.Sink(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, message, e);
    }
    if (isFull(e)) {
      return new BackupException.Sink(CoreFailure.SINK_FULL, Reason.NO_SPACE, message, e);
    }
    if (e instanceof AccessDeniedException || isReadOnly(e)) {
      return new BackupException.Sink(CoreFailure.SINK_DENIED, Reason.DENIED, message, e);
    }
    return new BackupException.Sink(CoreFailure.SINK_FAILED, Reason.REFUSED, message, e);
  }

  BackupException.Sink notThere() {
    return new BackupException.Sink(
        CoreFailure.SINK_NOT_THERE,
        Reason.NOT_FOUND,
        "put in %s: neither it nor the directory it stands in is there".formatted(root));
  }

  BackupException.Sink refused(String message) {
    return new BackupException.Sink(CoreFailure.NAME_REFUSED, Reason.REFUSED, message);
  }

  private static String words(IOException e) {
    String message = e.getMessage();
    return e.getClass().getSimpleName() + (message == null ? "" : " " + message);
  }

  /** The text of ENOSPC and EDQUOT depends on the locale, so the file system is asked as well. */
  private boolean isFull(IOException e) {
    String message = lowerCase(e);
    return message.contains("no space left")
        || message.contains("quota exceeded")
        || (!(e instanceof AccessDeniedException)
            && !isReadOnly(e)
            && freeBytes() < FULL_BELOW_BYTES);
  }

  private boolean isReadOnly(IOException e) {
    try {
      return lowerCase(e).contains("read-only file system")
          || Files.getFileStore(root).isReadOnly();
    } catch (IOException unknown) {
      return false;
    }
  }

  private long freeBytes() {
    try {
      return Files.getFileStore(root).getUsableSpace();
    } catch (IOException unknown) {
      return Long.MAX_VALUE;
    }
  }

  private static String lowerCase(IOException e) {
    String message = e.getMessage();
    return message == null ? "" : message.toLowerCase(Locale.ROOT);
  }
}
