package org.stellaops.backup.internal.disk;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where {@link ScratchFile}s are made. From any thread. */
public final class ScratchFolder {
  private static final Logger LOG = LoggerFactory.getLogger(ScratchFolder.class);
  private static final String PREFIX = "scratch-";

  /** Longer than any file keeps its name where names can be taken away. */
  private static final Duration ABANDONED = Duration.ofDays(1);

  private final Optional<Path> folder;
  private final AtomicBoolean isSwept = new AtomicBoolean();

  private ScratchFolder(Optional<Path> folder) {
    this.folder = folder;
  }

  /** One that is there. */
  public static ScratchFolder in(Path folder) {
    return new ScratchFolder(Optional.of(folder));
  }

  /** Where the JVM keeps temporary files. */
  public static ScratchFolder temporary() {
    return new ScratchFolder(Optional.empty());
  }

  /**
   * Makes an empty file that only its owner may read. The caller closes.
   *
   * @throws org.stellaops.backup.model.BackupException.Refused WORKSPACE_FAILED
   */
  public ScratchFile create() throws IOException {
    try {
      return ScratchFile.of(folder.isPresent() ? fileIn(folder.get()) : temporaryFile());
    } catch (IOException e) {
      throw ScratchFile.failed("make a file in " + this, e);
    }
  }

  private Path fileIn(Path given) throws IOException {
    Path file = given.resolve(PREFIX + UUID.randomUUID());
    PrivateFiles.create(file).close();
    if (isSwept.compareAndSet(false, true)) {
      sweep(file);
    }
    return file;
  }

  private static Path temporaryFile() throws IOException {
    return Files.createTempFile("stella-backup-", ".scratch");
  }

  /**
   * Removes what processes left that were killed: where a file in use keeps its name, it cannot go.
   *
   * @param fresh tells the time as the file system has it
   */
  private static void sweep(Path fresh) {
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(PrivateFiles.parent(fresh), PREFIX + "*")) {
      Instant now = Files.getLastModifiedTime(fresh).toInstant();
      for (Path file : files) {
        if (Files.getLastModifiedTime(file).toInstant().isBefore(now.minus(ABANDONED))) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      LOG.debug("abandoned files stay beside {}: {}", fresh, e.toString());
    }
  }

  @Override
  public String toString() {
    return folder.map(Path::toString).orElse("the directory for temporary files");
  }
}
