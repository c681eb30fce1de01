package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Files;
import org.stellaops.backup.internal.disk.FileState;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.spi.Stopping;

/**
 * Counts the first files that a selection selects, and tries whether they may be read. A capture
 * finds all of them; a check is to be over soon.
 */
final class FileScan implements FileWalk.Visitor {
  private final long most;
  private long files;
  private long bytes;

  private FileScan(long most) {
    this.most = most;
  }

  /**
   * Looks at a selection.
   *
   * @param most files, at least 1
   */
  static FileScan of(FileSelection selection, long most, Stopping stopping) throws IOException {
    var scan = new FileScan(most);
    new FileWalk(selection, stopping, scan).run();
    return scan;
  }

  @Override
  public boolean hasEnough() {
    return files >= most;
  }

  @Override
  public void found(FileWalk.Found it) throws IOException {
    if (it.state().type() != FileState.Type.FILE) {
      return;
    }
    if (!Files.isReadable(it.path()) && Files.exists(it.path())) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_FAILED,
          "%s cannot be read by this process. hint: give it the right, or exclude the file"
              .formatted(it.path()));
    }
    files++;
    bytes += it.state().sizeBytes();
  }

  @Override
  public void passedOver(Finding why) {
    // Told when it is captured.
  }

  long files() {
    return files;
  }

  long bytes() {
    return bytes;
  }
}
