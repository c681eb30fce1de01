package org.stellaops.backup.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.spi.StreamSession;

/**
 * Records a stream that nobody could hold in memory, its last slice larger than the heap, reads it
 * again, and prints how much of it came back. A program of its own.
 */
final class StreamMemoryProbe {
  private static final long SLICE_BYTES = 16 << 20;
  private static final long LAST_BYTES = 128 << 20;

  private StreamMemoryProbe() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Files.createDirectories(Path.of(arguments[0], "stream-" + arguments[1]));
    long end = Long.parseLong(arguments[1]) << 20;
    try (AgeIdentity owner = AgeIdentity.generate()) {
      StreamHost host =
          new StreamHost(directory, owner, DirectorySink.at(directory.resolve("repository")));
      host.backUp("base", 1, 0, 10);
      host.record(session -> record(session, end));
      System.out.println("compared-bytes " + host.replayed().coverage.orElseThrow().lengthBytes());
    }
  }

  private static void record(StreamSession session, long end) throws IOException {
    for (long at = 0; at < end - LAST_BYTES; at += SLICE_BYTES) {
      ScriptedStream.append(session, 1, at, at + SLICE_BYTES);
    }
    ScriptedStream.append(session, 1, end - LAST_BYTES, end);
  }
}
