package org.stellaops.backup.bundle;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;

/** What the operating system says about a medium, as failures with something to do about them. */
final class MediumFailures {
  /** EIO, ENODEV, ENXIO, ESTALE: what a medium that was pulled out answers. */
  private static final List<String> GONE =
      List.of("input/output error", "no such device", "stale file handle", "no medium");

  /** A file system with less than this is full for us, whatever the words of its error. */
  private static final long FULL_BELOW_BYTES = 64 << 10;

  private MediumFailures() {}

  static BackupException translate(String tried, Path directory, IOException e) {
    if (e instanceof BackupException already) {
      return already;
    }
    String message = "%s: %s".formatted(tried, words(e));
    if (e instanceof FileAlreadyExistsException) {
      return exists(Path.of(String.valueOf(e.getMessage())));
    }
    if (isGone(directory, e)) {
      return new BackupException.Sink(CoreFailure.MEDIUM_GONE, Reason.NOT_FOUND, message, e);
    }
    if (e instanceof AccessDeniedException || says(e, "read-only file system")) {
      return new BackupException.Sink(CoreFailure.SINK_DENIED, Reason.DENIED, message, e);
    }
    if (isFull(directory, e)) {
      return new BackupException.Sink(CoreFailure.SINK_FULL, Reason.NO_SPACE, message, e);
    }
    return new BackupException.Sink(CoreFailure.SINK_FAILED, Reason.REFUSED, message, e);
  }

  static BackupException.Refused exists(Path file) {
    return new BackupException.Refused(
        CoreFailure.BUNDLE_EXISTS, "%s is there, and is never replaced".formatted(file));
  }

  private static String words(IOException e) {
    String message = e.getMessage();
    return e.getClass().getSimpleName() + (message == null ? "" : " " + message);
  }

  private static boolean says(IOException e, String words) {
    return String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT).contains(words);
  }

  private static boolean isGone(Path directory, IOException e) {
    return e instanceof NoSuchFileException
        || GONE.stream().anyMatch(words -> says(e, words))
        || !Files.isDirectory(directory);
  }

  /** The text of ENOSPC and EDQUOT depends on the locale, so the file system is asked as well. */
  private static boolean isFull(Path directory, IOException e) {
    if (says(e, "no space left") || says(e, "quota exceeded") || says(e, "file too large")) {
      return true;
    }
    try {
      return Files.getFileStore(directory).getUsableSpace() < FULL_BELOW_BYTES;
    } catch (IOException unknown) {
      return false;
    }
  }
}
