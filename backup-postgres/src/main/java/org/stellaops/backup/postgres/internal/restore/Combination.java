package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.increment.IncrementalHeader;
import org.stellaops.backup.postgres.internal.increment.IncrementalPath;
import org.stellaops.backup.postgres.internal.manifest.FileContents;

/**
 * Puts the files of a chain of captures together, reading each capture once, the newest first.
 *
 * <p>The newest says which files there are. Of what it holds whole nothing else is needed; of what
 * it holds in changed blocks, these go straight to their places in the staged file, and one bit a
 * block says that they are there. Each older capture fills gaps, until one holds the file whole. So
 * every byte is written once, none but changed blocks is read back, and memory is a bit a block of
 * the files that changed. The other way round, the oldest first, would write every block as often
 * as it changed, and could not sum before all is read again.
 */
final class Combination {
  /** A multiple of a block. */
  private static final int BUFFER_BYTES = 1 << 20;

  private final Map<String, RelationFile> unfinished = new HashMap<>();
  private final Map<String, FileContents> results = new HashMap<>();
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private final Executor executor;

  /** For one restore; files are brought to the disk on {@code executor}. */
  Combination(Executor executor) {
    this.executor = executor;
  }

  /**
   * An incremental file of the newest capture.
   *
   * @param path of the incremental file
   * @param whole of the relation's file
   * @param staged where that goes
   */
  Piece newest(String path, String whole, long bytes, Path staged) throws IOException {
    var header = new IncrementalHeader(path, bytes);
    create(staged);
    var relation = new RelationFile(whole, staged);
    unfinished.put(whole, relation);
    relation.see();
    return new ChangedBlocks(relation, header, buffer);
  }

  /** A file of an older capture; empty if nothing of it is needed. */
  Optional<Piece> older(String path, long bytes) throws IOException {
    Optional<String> whole = IncrementalPath.whole(path);
    RelationFile relation = unfinished.get(whole.orElse(path));
    if (relation == null) {
      return Optional.empty();
    }
    if (!relation.see()) {
      throw broken(relation.path() + " is there twice");
    }
    return Optional.of(
        whole.isPresent()
            ? new ChangedBlocks(relation, new IncrementalHeader(path, bytes), buffer)
            : new WholeFile(relation, bytes, buffer, executor, made -> finish(relation, made)));
  }

  /**
   * A capture was read to its end.
   *
   * @param snapshot whose it is
   * @param isOldest whether nothing older is left
   */
  void endCapture(String snapshot, boolean isOldest) throws BackupException.Corrupt {
    List<String> missing =
        unfinished.values().stream().filter(r -> !r.wasSeen()).map(RelationFile::path).toList();
    if (!missing.isEmpty()) {
      throw broken("%s has neither all nor changed blocks of %s".formatted(snapshot, missing));
    }
    if (isOldest && !unfinished.isEmpty()) {
      throw broken(
          "%s is the oldest and has only changed blocks of %s"
              .formatted(snapshot, unfinished.keySet()));
    }
  }

  /** What the files are that were put together, by path. */
  Map<String, FileContents> results() {
    return results;
  }

  private void finish(RelationFile relation, FileContents made) {
    results.put(relation.path(), made);
    unfinished.remove(relation.path());
  }

  private static void create(Path staged) throws BackupException.Target {
    try {
      Directories.create(Directories.above(staged));
      Directories.createFile(staged).close();
    } catch (IOException e) {
      throw new BackupException.Target(
          CoreFailure.TARGET_FAILED, "create %s: %s".formatted(staged, e), e);
    }
  }

  private static BackupException.Corrupt broken(String what) {
    return new BackupException.Corrupt(
        PostgresFailure.CHAIN_BROKEN, "the captures do not fit together: " + what);
  }
}
