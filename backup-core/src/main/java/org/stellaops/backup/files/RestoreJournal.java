package org.stellaops.backup.files;

import java.io.Closeable;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.json.Json;
import org.stellaops.backup.internal.json.JsonLinesReader;
import org.stellaops.backup.internal.json.JsonObject;

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
    try (var lines = new JsonLinesReader(Files.newInputStream(file), "restore journal")) {
      for (var line = lines.next(); line.isPresent(); line = lines.next()) {
        reader.read(entry(line.get()));
      }
    }
  }

  private static Entry entry(JsonObject line) throws IOException {
    try {
      return new Entry(Act.valueOf(line.text("act")), line.signed("number"), line.text("name"));
    } catch (IllegalArgumentException e) {
      throw line.malformed("act", "one of " + List.of(Act.values()));
    }
  }

  /** One system call: it is there, whole, if this process is killed afterwards. */
  void write(Act act, long number, String name) throws IOException {
    byte[] json = Json.write(Map.of("act", act.name(), "number", number, "name", name));
    byte[] line = Arrays.copyOf(json, json.length + 1);
    line[json.length] = '\n';
    out.write(line);
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
