package org.stellaops.backup.files;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** The indexes of all sections, one after the other; checks that they follow each other. */
final class SectionLines implements TarIndex.Lines {
  private final Sections sections;
  private TarIndex.@Nullable Reader open;
  private int number;
  private String previous = "";

  SectionLines(Sections sections) {
    this.sections = sections;
  }

  /** Opens the indexes of sections. */
  @FunctionalInterface
  interface Sections {
    /**
     * Empty behind the last. Closed by who asks.
     *
     * @param number from 0
     */
    Optional<TarIndex.Reader> open(int number) throws IOException;
  }

  @Override
  public Optional<TarIndex.Line> next() throws IOException {
    while (true) {
      if (open == null) {
        Optional<TarIndex.Reader> following = sections.open(number++);
        if (following.isEmpty()) {
          return Optional.empty();
        }
        open = following.get();
      }
      Optional<TarIndex.Line> line = open.next();
      if (line.isPresent()) {
        requireBehind(line.get().nameInArchive());
        return line;
      }
      close();
    }
  }

  private void requireBehind(String name) throws BackupException.Corrupt {
    if (TarMember.BY_BYTES.compare(previous, name) >= 0) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s: '%s' stands behind '%s'".formatted(FileSource.index(number), name, previous));
    }
    previous = name;
  }

  /** Closes the index that is open. */
  @Override
  public void close() throws IOException {
    if (open != null) {
      TarIndex.Reader reader = open;
      open = null;
      reader.close();
    }
  }
}
