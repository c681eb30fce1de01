package org.stellaops.backup.files;

import java.io.Closeable;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.json.JsonLines;

/**
 * What a restore is about to do to names, written down before it does it; so that it can be taken
 * back by another process after this one was killed.
 */
final class RestoreJournal implements Closeable {
  private final FileOutputStream out;

  private RestoreJournal(FileOutputStream out) {
    this.out = out;
  }

  /** What is done. */
  enum Act {
    /** A directory is made. */
    DIRECTORY,
    /** A file or link is put where nothing was. */
    MADE,
    /** A file or link is put where another was, which is kept. */
    KEPT
  }

  /**
   * One act.
   *
   * @param number of the member in the index; -1 of a directory that is no member
   */
  record Entry(Act act, long number, String name) {}

  /** Hears of the acts in their order. */
  @FunctionalInterface
  interface Reader {
    void read(Entry entry) throws IOException;
  }

  /** Opens it for more. */
  static RestoreJournal append(Path file) throws IOException {
    return new RestoreJournal(
        Files.exists(file, LinkOption.NOFOLLOW_LINKS)
            ? new FileOutputStream(file.toFile(), true)
            : PrivateFiles.create(file));
  }

  /** Reads it from the beginning; absent: nothing. */
  static void read(Path file, Reader reader) throws IOException {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (var lines = new JsonLines.Reader(Files.newInputStream(file), "restore journal")) {
      for (var line = lines.next(); line.isPresent(); line = lines.next()) {
        reader.read(entry(line.get()));
      }
    }
  }

  private static Entry entry(Map<String, Object> line) {
    if (line.get("act") instanceof String act
        && line.get("number") instanceof Long number
        && line.get("name") instanceof String name) {
      return new Entry(Act.valueOf(act), number, name);
    }
    throw new UncheckedIOException(new IOException("no entry of a restore journal"));
  }

  /** One system call: it is there, whole, if this process is killed afterwards. */
  void write(Act act, long number, String name) throws IOException {
    out.write(JsonLines.encode(Map.of("act", act.name(), "number", number, "name", name)));
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
