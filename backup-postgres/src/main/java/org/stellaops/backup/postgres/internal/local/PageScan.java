package org.stellaops.backup.postgres.internal.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.stellaops.backup.spi.Stopping;

/**
 * Compares the checksum of every page of a cluster that lies still, like {@code pg_checksums
 * --check}: of all databases, all tablespaces, and what is shared.
 */
public final class PageScan {
  /** Relation, fork, and segment of 1 GiB: {@code 16384_vm.2}. Temporary ones begin with a t. */
  private static final Pattern RELATION_FILE =
      Pattern.compile("[0-9]+(_(fsm|vm|init))?(\\.([0-9]+))?");

  private static final long PAGES_PER_SEGMENT = 131_072;
  private static final int PAGES_AT_ONCE = 128;
  private static final int MAX_PROBLEMS = 200;

  private final Path data;
  private final Stopping stopping;
  private final PageChecksum checksum = new PageChecksum();
  private final ByteBuffer buffer = ByteBuffer.allocate(PAGES_AT_ONCE * PageChecksum.PAGE_BYTES);
  private final List<String> problems = new ArrayList<>();
  private long pages;

  /** Of a data directory on which no server runs. */
  public PageScan(Path data, Stopping stopping) {
    this.data = data;
    this.stopping = stopping;
  }

  /** Reads everything; the damaged pages as {@code base/5/16384: block 3}. */
  public List<String> run() throws IOException {
    scanDirectory(data.resolve("global"));
    for (Path database : list(data.resolve("base"))) {
      scanDirectory(database);
    }
    for (Path tablespace : list(data.resolve("pg_tblspc"))) {
      for (Path version : list(tablespace)) {
        for (Path database : list(version)) {
          scanDirectory(database);
        }
      }
    }
    return List.copyOf(problems);
  }

  /** How many pages were read. */
  public long pages() {
    return pages;
  }

  private void scanDirectory(Path directory) throws IOException {
    for (Path file : list(directory)) {
      Matcher name = RELATION_FILE.matcher(file.getFileName().toString());
      if (name.matches() && Files.isRegularFile(file)) {
        stopping.check();
        long segment = name.group(4) == null ? 0 : Long.parseLong(name.group(4));
        scan(file, segment * PAGES_PER_SEGMENT);
      }
    }
  }

  private void scan(Path file, long firstBlock) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      long block = firstBlock;
      for (int filled = fill(channel); filled > 0; filled = fill(channel)) {
        for (int at = 0; at < filled; at += PageChecksum.PAGE_BYTES, block++) {
          if (filled - at < PageChecksum.PAGE_BYTES) {
            problem(file, "ends within block " + block);
          } else if (!checksum.isRight(buffer.slice(at, PageChecksum.PAGE_BYTES), block)) {
            problem(file, "block " + block);
          }
          pages++;
        }
      }
    }
  }

  private int fill(FileChannel channel) throws IOException {
    buffer.clear();
    for (int n = 0; n >= 0 && buffer.hasRemaining(); ) {
      n = channel.read(buffer);
    }
    return buffer.position();
  }

  private void problem(Path file, String what) {
    if (problems.size() < MAX_PROBLEMS) {
      problems.add(data.relativize(file) + ": " + what);
    }
  }

  /** The entries of a directory; none where it is no directory. */
  private static List<Path> list(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    }
  }
}
