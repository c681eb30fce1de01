package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.internal.repository.HeadMemory;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

/**
 * Disposable local files: heads of logs that were seen, what was read of the repository before, and
 * ciphertext too large for memory. Never plain bytes. Without a directory, heads are known to this
 * process only, and ciphertext goes where temporary files go. From any thread.
 */
public final class Workspace implements HeadMemory {
  private static final Set<PosixFilePermission> PRIVATE_FILE =
      PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> PRIVATE_DIRECTORY =
      PosixFilePermissions.fromString("rwx------");

  private final @Nullable Path directory;
  private final ScratchFolder scratch;
  private final Map<String, Head> seen = new LinkedHashMap<>();
  private boolean isUnsaved;

  private Workspace(@Nullable Path directory) {
    this.directory = directory;
    this.scratch = directory == null ? ScratchFolder.temporary() : ScratchFolder.in(directory);
  }

  /** The given directory, made with mode 0700 if it is not there; or none. */
  public static Workspace in(Optional<Path> given) throws IOException {
    if (given.isEmpty()) {
      return new Workspace(null);
    }
    Path directory = given.get();
    try {
      Files.createDirectory(directory, mode(directory, PRIVATE_DIRECTORY));
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory)) {
        throw e;
      }
    }
    return new Workspace(directory);
  }

  private static FileAttribute<?>[] mode(Path near, Set<PosixFilePermission> permissions)
      throws IOException {
    Path existing = near.toAbsolutePath().getParent();
    boolean isPosix =
        existing != null && Files.getFileStore(existing).supportsFileAttributeView("posix");
    return isPosix
        ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions)}
        : new FileAttribute<?>[0];
  }

  /** A file for ciphertext that is gone when it is closed, or when the process dies. */
  Spool spool() throws IOException {
    if (directory == null) {
      return Spool.open(Files.createTempFile("stella-backup-", ".spool"));
    }
    Path file = directory.resolve("spool-" + UUID.randomUUID());
    return Spool.open(Files.createFile(file, mode(file, PRIVATE_FILE)));
  }

  @Override
  public synchronized Optional<Head> recall(String repository, String log) throws IOException {
    if (directory != null && seen.isEmpty()) {
      load(heads(directory, repository), repository);
    }
    return Optional.ofNullable(seen.get(repository + " " + log));
  }

  @Override
  public Optional<Path> cache(String repository) {
    return Optional.ofNullable(directory).map(d -> d.resolve("cache").resolve(repository));
  }

  @Override
  public ScratchFolder scratch() {
    return scratch;
  }

  @Override
  public synchronized Set<String> logs(String repository) throws IOException {
    if (directory != null && seen.isEmpty()) {
      load(heads(directory, repository), repository);
    }
    Set<String> logs = new TreeSet<>();
    for (String key : seen.keySet()) {
      if (key.startsWith(repository + " ")) {
        logs.add(key.substring(repository.length() + 1));
      }
    }
    return logs;
  }

  /** Takes the newer of what is in the file and what is known here. */
  private void load(Path heads, String repository) throws IOException {
    try {
      for (String line : Files.readAllLines(heads, StandardCharsets.US_ASCII)) {
        String[] words = line.split(" ", -1);
        Head head = new Head(Long.parseLong(words[1]), Digest.parse(words[2]));
        keepNewer(repository + " " + words[0], head);
      }
    } catch (NoSuchFileException e) {
      // Nothing was seen before.
      return;
    } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          heads + " cannot be read; hint: it is a cache, remove it to start afresh",
          e);
    }
  }

  /** Whether this head is newer than what was known. */
  private boolean keepNewer(String key, Head head) {
    Head known = seen.get(key);
    if (known != null && known.sequence() >= head.sequence()) {
      return false;
    }
    seen.put(key, head);
    return true;
  }

  @Override
  public synchronized void remember(String repository, String log, Head head) throws IOException {
    isUnsaved |= keepNewer(repository + " " + log, head);
    if (directory != null && isUnsaved) {
      Path heads = heads(directory, repository);
      // Another engine may have saved here meanwhile: its heads must not be forgotten.
      load(heads, repository);
      save(heads, repository);
      isUnsaved = false;
    }
  }

  private void save(Path heads, String repository) throws IOException {
    StringBuilder text = new StringBuilder();
    seen.forEach(
        (key, head) -> {
          if (key.startsWith(repository + " ")) {
            text.append(key.substring(repository.length() + 1)).append(' ').append(head.sequence());
            text.append(' ').append(head.digest()).append('\n');
          }
        });
    Path fresh = heads.resolveSibling("heads-" + UUID.randomUUID());
    Files.createFile(fresh, mode(fresh, PRIVATE_FILE));
    try {
      Files.writeString(fresh, text, StandardCharsets.US_ASCII);
      Files.move(fresh, heads, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  private static Path heads(Path directory, String repository) {
    return directory.resolve("heads." + repository);
  }
}
