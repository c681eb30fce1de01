package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/**
 * Puts files back below a directory. A value; each method that adds to it returns another one.
 *
 * <p>Everything is written to {@code <root>/.stella-restore-<run>} first, 0700, compared with its
 * digest, made durable, and then moved to its place, name by name. What was there is refused unless
 * {@link #replace} was said, and then kept until the restore is settled. Files that were not
 * captured stay as they are. Nothing is ever written through a symbolic link below the root.
 */
public final class FileTarget implements RestoreTarget {
  private final Options options;

  private FileTarget(Options options) {
    this.options = options;
  }

  /**
   * What a restore of files may do, and where.
   *
   * @param root absolute
   * @param replaces whether files that are there are replaced
   * @param restoresStock whether files are restored that were as the product ships them
   */
  record Options(Path root, boolean replaces, boolean restoresStock) {}

  /** Below this directory, which is made if it is not there. */
  public static FileTarget at(Path root) {
    return new FileTarget(new Options(root.toAbsolutePath().normalize(), false, false));
  }

  /**
   * Artifacts of any source as they were captured, each a file of its name, 0600, in a directory
   * that is absent or empty: for whoever wants to look for himself.
   */
  public static RestoreTarget raw(Path directory) {
    return new RawTarget(directory.toAbsolutePath().normalize());
  }

  /** Replaces files that are there. */
  public FileTarget replace() {
    return new FileTarget(new Options(options.root(), true, options.restoresStock()));
  }

  /** Also restores files that were as the product ships them. */
  public FileTarget restoreStock() {
    return new FileTarget(new Options(options.root(), options.replaces(), true));
  }

  @Override
  public TargetDescription describe() {
    return new TargetDescription(
        options.root().toString(),
        Map.of(
            "replace",
            Boolean.toString(options.replaces()),
            "stock",
            Boolean.toString(options.restoresStock())));
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return kind.value().equals(FileSource.KIND);
  }

  @Override
  public void plan(RestorePlanning planning) throws IOException {
    new FileRestorePlan(options, planning).run();
  }

  @Override
  public void stage(RestoreSession session) throws IOException {
    new FileRestore(options, session).stage();
  }

  @Override
  public void publish(RestoreSession session) throws IOException {
    new FileRestore(options, session).publish();
  }

  @Override
  public void rollBack(RestoreSession session) throws IOException {
    new FileRestore(options, session).rollBack();
  }

  @Override
  public void settle(RestoreSession session) throws IOException {
    new FileRestore(options, session).settle();
  }

  @Override
  public String toString() {
    return "FileTarget " + options.root();
  }
}
