package org.stellaops.backup.internal.disk;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
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
public final class MediumFailures {
  /**
   * EIO, ENODEV, ENXIO, ESTALE, ENOMEDIUM, ENOTCONN, ESHUTDOWN: what a medium answers that was
   * pulled out, or whose server or driver ended.
   */
  private static final List<String> GONE =
      List.of(
          "input/output error",
          "no such device",
          "stale file handle",
          "no medium",
          "transport endpoint");

  /** A file system with less than this is full for us, whatever the words of its error. */
  private static final long FULL_BELOW_BYTES = 64 << 10;

  private MediumFailures() {}

  /** Of what is only read, wherever it lies. */
  public static BackupException reading(String tried, IOException e) {
    return reading(tried, Path.of("/"), e);
  }

  /**
   * Of what is only read from a directory; what has no room, as every medium that is read-only, is
   * read as well.
   *
   * @param tried for the message
   * @param directory is asked whether it is there still
   */
  public static BackupException reading(String tried, Path directory, IOException e) {
    return translate(tried, directory, e, false);
  }

  /**
   * Of what is written into a directory.
   *
   * @param tried for the message
   * @param directory is asked whether it is there still, and has room
   */
  public static BackupException translate(String tried, Path directory, IOException e) {
    return translate(tried, directory, e, true);
  }

  private static BackupException translate(
      String tried, Path directory, IOException e, boolean isWriting) {
    if (e instanceof BackupException already) {
      return already;
    }
    String message = "%s: %s".formatted(tried, words(e));
    if (e instanceof FileAlreadyExistsException) {
      return exists(Path.of(String.valueOf(e.getMessage())));
    }
    boolean isUnreadable = !isWriting && e instanceof FileNotFoundException && !isDenied(e);
    if (isGone(directory, e) || isUnreadable) {
      // Not NOT_FOUND: of an object that would say that it was never there.
      return new BackupException.Sink(CoreFailure.MEDIUM_GONE, Reason.REFUSED, message, e);
    }
    if (says(e, "read-only file system")) {
      return new BackupException.Sink(
          CoreFailure.SINK_DENIED,
          Reason.DENIED,
          message + "; hint: look for a switch on the medium, or check its file system for errors",
          e);
    }
    if (isDenied(e)) {
      return new BackupException.Sink(CoreFailure.SINK_DENIED, Reason.DENIED, message, e);
    }
    if (says(e, "file too large")) {
      return new BackupException.Sink(
          CoreFailure.SINK_FULL,
          Reason.NO_SPACE,
          message + "; hint: the file system takes no file as large as this, write smaller volumes",
          e);
    }
    if (isWriting && isFull(directory, e)) {
      return new BackupException.Sink(CoreFailure.SINK_FULL, Reason.NO_SPACE, message, e);
    }
    return new BackupException.Sink(CoreFailure.SINK_FAILED, Reason.REFUSED, message, e);
  }

  /** There is something of this name already. */
  public static BackupException.Refused exists(Path file) {
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

  /** A stream of a file says only in words why it cannot be opened. */
  private static boolean isDenied(IOException e) {
    return e instanceof AccessDeniedException
        || (e instanceof FileNotFoundException && says(e, "permission denied"));
  }

  /** The text of an error depends on the locale, so the directory is asked as well. */
  private static boolean isGone(Path directory, IOException e) {
    return e instanceof NoSuchFileException
        || GONE.stream().anyMatch(words -> says(e, words))
        || !isThere(directory);
  }

  private static boolean isThere(Path directory) {
    try (DirectoryStream<Path> children = Files.newDirectoryStream(directory)) {
      return children.iterator().hasNext() || Files.isDirectory(directory);
    } catch (AccessDeniedException e) {
      return true;
    } catch (IOException | DirectoryIteratorException e) {
      return false;
    }
  }

  private static boolean isFull(Path directory, IOException e) {
    if (says(e, "no space left") || says(e, "quota exceeded")) {
      return true;
    }
    try {
      return Files.getFileStore(directory).getUsableSpace() < FULL_BELOW_BYTES;
    } catch (IOException unknown) {
      return false;
    }
  }
}
