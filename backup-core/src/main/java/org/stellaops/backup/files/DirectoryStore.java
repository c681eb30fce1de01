package org.stellaops.backup.files;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.disk.TemporaryFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreTraits;

/**
 * The open store of a {@link DirectorySink}.
 *
 * <p>Invariant: what has an object's name is the whole object, on disk. A put writes to a file of
 * its own in {@code tmp/}, which becomes durable before {@code link(2)} gives it the name; the name
 * is durable when its directory, and every directory above it that this store has not seen durable
 * yet, has been synced. {@code rename(2)} was not taken: it replaces in silence.
 */
final class DirectoryStore implements ObjectStore {
  private static final int BUFFER_BYTES = 1 << 16;

  private final Path root;
  private final Stopping stopping;
  private final DirectoryReader reader;
  private final DirectoryFailures failures;
  private final TemporaryFiles temporary;

  /** Directories whose own name is durable; another process may have made them a moment ago. */
  private final Set<Path> durable = ConcurrentHashMap.newKeySet();

  private volatile boolean isClosed;

  DirectoryStore(Path root, Stopping stopping) {
    this.root = root;
    this.stopping = stopping;
    this.reader = new DirectoryReader(root, Set.of(TemporaryFiles.DIRECTORY, "lost+found"));
    this.failures = new DirectoryFailures(root);
    this.temporary = new TemporaryFiles(root.resolve(TemporaryFiles.DIRECTORY));
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    requireOpen();
    stopping.check();
    Path object = reader.resolve(name);
    String tried = "put " + name;
    Path file = attempt(tried, () -> prepare(object));
    try {
      write(tried, file, body);
      attempt(tried, () -> publish(file, object));
    } finally {
      attempt(tried, () -> Files.deleteIfExists(file));
    }
  }

  /** Makes the directories and a temporary file. */
  private Path prepare(Path object) throws IOException {
    if (Files.exists(object, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileAlreadyExistsException(object.toString());
    }
    if (!Files.isDirectory(root) && !Files.isDirectory(PrivateFiles.parent(root))) {
      throw failures.notThere();
    }
    makeDirectory(PrivateFiles.parent(object));
    return temporary.newFile();
  }

  private void makeDirectory(Path directory) throws IOException {
    if (durable.contains(directory)) {
      return;
    }
    if (!directory.equals(root)) {
      makeDirectory(PrivateFiles.parent(directory));
    }
    if (!Files.isDirectory(directory)) {
      makeUnlessThere(directory);
    }
    PrivateFiles.syncDirectory(PrivateFiles.parent(directory));
    durable.add(directory);
  }

  private static void makeUnlessThere(Path directory) throws IOException {
    try {
      PrivateFiles.createDirectory(directory);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory)) {
        throw new NotDirectoryException(directory.toString());
      }
    }
  }

  /** The body's own failures pass as they are: they are not this store's. */
  private void write(String tried, Path file, ObjectBody body) throws IOException {
    MessageDigest digest = Digest.sha256();
    long length = 0;
    try (InputStream in = body.open();
        FileOutputStream out = attempt(tried, () -> new FileOutputStream(file.toFile(), true))) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        stopping.check();
        int count = n;
        attempt(
            tried,
            () -> {
              out.write(buffer, 0, count);
              return out;
            });
        digest.update(buffer, 0, n);
        length += n;
      }
      requireWhole(tried, body, length, Digest.of(digest.digest()));
      attempt(
          tried,
          () -> {
            out.getFD().sync();
            return out;
          });
    }
  }

  private static void requireWhole(String tried, ObjectBody body, long length, Digest digest)
      throws BackupException.Sink {
    if (length != body.lengthBytes() || !digest.equals(body.digest())) {
      throw new BackupException.Sink(
          CoreFailure.SINK_FAILED,
          Reason.REFUSED,
          "%s: the body has %d bytes with SHA-256 %s, announced were %d with %s"
              .formatted(tried, length, digest, body.lengthBytes(), body.digest()));
    }
  }

  private Path publish(Path file, Path object) throws IOException {
    try {
      Files.createLink(object, file);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (UnsupportedOperationException | IOException e) {
      throw explainLink(e);
    }
    PrivateFiles.syncDirectory(PrivateFiles.parent(object));
    return object;
  }

  /** FAT answers EPERM, network file systems EOPNOTSUPP; a full or read-only one says so. */
  private IOException explainLink(Exception e) throws IOException {
    String message = String.valueOf(e.getMessage());
    boolean isUnsupported =
        e instanceof UnsupportedOperationException
            || message.contains("Operation not permitted")
            || message.contains("not supported");
    if (!isUnsupported && e instanceof IOException failure) {
      return failure;
    }
    return new BackupException.Sink(
        CoreFailure.NO_HARD_LINKS,
        Reason.REFUSED,
        "put in %s: its file system, %s, knows no hard links, without which two writers could not be kept apart"
            .formatted(root, Files.getFileStore(root).type()),
        e);
  }

  /** The damaged file gets a second name before it loses the first: so no moment is without one. */
  private void mend(ObjectName name, ObjectBody body) throws IOException {
    requireOpen();
    stopping.check();
    Path object = reader.resolve(name);
    String tried = "mend " + name;
    Path file = attempt(tried, () -> prepareBeside(object));
    try {
      write(tried, file, body);
      attempt(tried, () -> exchange(file, object));
    } finally {
      attempt(tried, () -> Files.deleteIfExists(file));
    }
  }

  private Path prepareBeside(Path object) throws IOException {
    if (!Files.isRegularFile(object, LinkOption.NOFOLLOW_LINKS)) {
      throw new NoSuchFileException(object.toString());
    }
    return temporary.newFile();
  }

  private Path exchange(Path file, Path object) throws IOException {
    Path folder = PrivateFiles.parent(object);
    linkAside(object, folder);
    PrivateFiles.syncDirectory(folder);
    Files.move(file, object, StandardCopyOption.ATOMIC_MOVE);
    PrivateFiles.syncDirectory(folder);
    return object;
  }

  private static void linkAside(Path object, Path folder) throws IOException {
    for (int number = 1; ; number++) {
      Path aside =
          folder.resolve(object.getFileName() + ".damaged" + (number == 1 ? "" : "-" + number));
      try {
        Files.createLink(aside, object);
        return;
      } catch (FileAlreadyExistsException e) {
        if (Files.isSameFile(aside, object)) {
          // An earlier attempt came as far as this.
          return;
        }
      }
    }
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    requireOpen();
    Path object = reader.resolve(name);
    attempt(
        "delete " + name,
        () -> {
          if (Files.isRegularFile(object, LinkOption.NOFOLLOW_LINKS)) {
            Files.deleteIfExists(object);
          }
          return object;
        });
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    requireOpen();
    return reader.open(name, range);
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) throws IOException {
    requireOpen();
    return reader.list(prefix, from);
  }

  @Override
  public StoreTraits traits() {
    return new StoreTraits(true, true, Long.MAX_VALUE, Map.of());
  }

  @Override
  public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
    StoreAbility.Capacity capacity = new DirectoryRoom(root);
    StoreAbility.Exposure exposure = new DirectoryExposure(root);
    StoreAbility.Strays strays = this::sweep;
    StoreAbility.Times times = this::storedAt;
    StoreAbility.Mending mending = this::mend;
    return Stream.of(capacity, exposure, strays, times, mending)
        .filter(type::isInstance)
        .<A>map(type::cast)
        .findFirst();
  }

  private Optional<Instant> storedAt(ObjectName name) throws IOException {
    Path object = reader.resolve(name);
    return attempt(
        "stat " + name,
        () -> {
          try {
            return Optional.of(
                Files.getLastModifiedTime(object, LinkOption.NOFOLLOW_LINKS).toInstant());
          } catch (NoSuchFileException e) {
            return Optional.empty();
          }
        });
  }

  private int sweep() throws IOException {
    return attempt("sweep", temporary::sweep);
  }

  @Override
  public void close() throws IOException {
    isClosed = true;
    attempt(
        "close",
        () -> {
          temporary.close();
          return temporary;
        });
  }

  private void requireOpen() {
    if (isClosed) {
      throw new IllegalStateException("the store in " + root + " is closed");
    }
  }

  private <T> T attempt(String tried, Attempt<T> attempt) throws IOException {
    try {
      return attempt.make();
    } catch (IOException e) {
      throw failures.translate(tried, e);
    }
  }

  @FunctionalInterface
  private interface Attempt<T> {
    T make() throws IOException;
  }
}
