package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Optional;
import org.stellaops.backup.internal.disk.PrivateFiles;

/**
 * Says in a place of the quarantine which import it belongs to, and whether that one is running: it
 * holds a lock, which goes with its process, however that ends.
 *
 * <p>A process gives up a lock of its own when it closes the file a second time, so what is of the
 * same process is told by what is written beside the lock, and its lock is left alone. By the
 * number of the process alone it could not be told: containers that share a directory may have the
 * same.
 */
final class ImportMark implements AutoCloseable {
  private static final String ABOUT = "import.txt";
  private static final String LOCK = "import.lock";

  private final Path place;
  private final FileChannel channel;

  private ImportMark(Path place, FileChannel channel) {
    this.place = place;
    this.channel = channel;
  }

  /**
   * Marks a place.
   *
   * @throws NoSuchFileException if somebody took the place away meanwhile
   */
  static ImportMark make(Path place, String target) throws IOException {
    PrivateFiles.create(
        place.resolve(ABOUT), (own() + "\n" + target + "\n").getBytes(StandardCharsets.UTF_8));
    PrivateFiles.create(place.resolve(LOCK)).close();
    FileChannel channel = FileChannel.open(place.resolve(LOCK), StandardOpenOption.WRITE);
    try {
      channel.lock();
    } catch (IOException e) {
      // Where there are no locks, none is free: what is left there stays.
    }
    return new ImportMark(place, channel);
  }

  /** This process: its number, and the instant at which it began. */
  private static String own() {
    ProcessHandle process = ProcessHandle.current();
    return process.pid() + " " + process.info().startInstant().map(Instant::toString).orElse("?");
  }

  /** What is marked. */
  Path place() {
    return place;
  }

  /** The same mark, after its place got another name. */
  ImportMark at(Path other) {
    return new ImportMark(other, channel);
  }

  /** What was imported into, if it was written down. */
  static Optional<String> target(Path place) throws IOException {
    return lines(place).map(l -> l[1]);
  }

  private static Optional<String[]> lines(Path place) throws IOException {
    try {
      String[] lines = Files.readString(place.resolve(ABOUT)).split("\n", -1);
      return lines.length == 3 ? Optional.of(lines) : Optional.empty();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /** Whether the import of a place goes on, as far as can be told. */
  static boolean isRunning(Path place) throws IOException {
    if (lines(place).map(l -> l[0].equals(own())).orElse(false)) {
      return true;
    }
    try (FileChannel channel = FileChannel.open(place.resolve(LOCK), StandardOpenOption.WRITE)) {
      FileLock free = channel.tryLock();
      return free == null;
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  /** Takes the mark away. */
  void remove() throws IOException {
    Files.deleteIfExists(place.resolve(ABOUT));
    Files.deleteIfExists(place.resolve(LOCK));
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
