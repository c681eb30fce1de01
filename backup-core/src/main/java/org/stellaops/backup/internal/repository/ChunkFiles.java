package org.stellaops.backup.internal.repository;

import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.disk.TemporaryFiles;
import org.stellaops.backup.model.BackupException;

/**
 * The local files of a writer's index, one for each part, which it has the name of: so that of a
 * repository only the parts are fetched that are new. A file appears whole under its name and never
 * changes, so several processes can share them. One that does not check out is made again.
 * Temporary files beside them go when this is closed, or when another process finds that this one
 * is gone. From any thread.
 */
final class ChunkFiles implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ChunkFiles.class);
  private static final String ENDING = ".run";

  /** {@code cache}, that of the repository, that of its indexes, and in it that of the writer. */
  private static final int FOLDERS = 4;

  private final Path folder;
  private final String writer;
  private final TemporaryFiles temporary;

  private ChunkFiles(Path folder, String writer) {
    this.folder = folder;
    this.writer = writer;
    this.temporary = new TemporaryFiles(folder.resolve(TemporaryFiles.DIRECTORY));
  }

  /**
   * The files of one writer.
   *
   * @param cache that of the repository; made when it is needed
   */
  static ChunkFiles in(Path cache, String writer) {
    return new ChunkFiles(cache.resolve("index").resolve(writer), writer);
  }

  /** For what goes when this is closed. */
  TemporaryFiles temporary() throws IOException {
    PrivateFiles.createDirectories(folder, FOLDERS);
    return temporary;
  }

  private Path file(ObjectRef object) {
    return folder.resolve(object.stored().hex() + ENDING);
  }

  /**
   * What stands in a part, which the caller closes; empty if no file of it can be had here.
   *
   * @throws BackupException if the part cannot be had, or is none
   */
  Optional<ChunkRun> run(ObjectRef object, ChunkIndex.Part part) throws BackupException {
    Optional<ChunkRun> known = open(object);
    if (known.isPresent()) {
      return known;
    }
    try {
      make(object, part);
      return Optional.of(ChunkRun.open(file(object)));
    } catch (BackupException e) {
      throw e;
    } catch (IOException e) {
      LOG.warn("the index of {} is kept in memory: {}", writer, e.toString());
      return Optional.empty();
    }
  }

  private Optional<ChunkRun> open(ObjectRef object) {
    try {
      return Optional.of(ChunkRun.open(file(object)));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      LOG.warn("the index of {} is made anew: {}", writer, e.toString());
      return Optional.empty();
    }
  }

  private void make(ObjectRef object, ChunkIndex.Part part) throws IOException {
    Path fresh = temporary().newName();
    try (ChunkRunWriter run = new ChunkRunWriter(temporary)) {
      try (InputStream in = part.open()) {
        IndexPart.read(in, writer, object.toString(), run);
      }
      run.finish(fresh);
      Files.move(
          fresh, file(object), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  /**
   * Removes the files of other parts; who has one open goes on reading it. Removes what processes
   * left that are gone, too.
   */
  void keepOnly(Collection<ObjectRef> parts) {
    Set<Path> kept = new HashSet<>();
    parts.forEach(part -> kept.add(file(part)));
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (var files = Files.newDirectoryStream(folder, "*" + ENDING)) {
      for (Path file : files) {
        if (!kept.contains(file)) {
          Files.deleteIfExists(file);
        }
      }
      temporary.sweep();
    } catch (IOException e) {
      LOG.debug("old files of the index of {} stay: {}", writer, e.toString());
    }
  }

  /** Removes what is temporary, but for what somebody still has there. */
  @Override
  public void close() throws IOException {
    temporary.close();
  }
}
