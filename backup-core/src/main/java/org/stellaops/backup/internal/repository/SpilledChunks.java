package org.stellaops.backup.internal.repository;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.disk.TemporaryFiles;

/**
 * Whole packs of one run for whose chunks there is no room in memory, in local files that go when
 * this is closed. They are written twice: in their order, as the stored index wants them, and
 * sorted by id, for lookups. Four sorted files of a size are merged into one, so that there are few
 * to ask however many there were: a chunk is written once more whenever there are four times as
 * many. One thread at a time.
 *
 * <p>What comes back from the first of these is stored, and believed by later runs: so the checksum
 * of each section is compared before anything of it is used.
 */
final class SpilledChunks implements Closeable {
  private static final int MERGED_AT_ONCE = 4;
  private static final int BUFFER_BYTES = 1 << 16;

  private final TemporaryFiles temporary;
  private final ChunkRuns runs;
  private final String writer;
  private final List<Section> sections = new ArrayList<>();
  private final List<Sorted> sorted = new ArrayList<>();
  private @Nullable Path orderedFile;
  private @Nullable RandomAccessFile ordered;

  /** Packs as they were written at once, in the form of a part of the index. */
  private record Section(int firstPack, int endPack, long begin, long end, long sum) {}

  /**
   * A sorted file.
   *
   * @param merges how often its chunks were merged
   */
  private record Sorted(Path file, int merges) {}

  /**
   * None yet.
   *
   * @param runs where the sorted files are added, behind all others; closes them
   */
  SpilledChunks(TemporaryFiles temporary, ChunkRuns runs, String writer) {
    this.temporary = temporary;
    this.runs = runs;
    this.writer = writer;
  }

  /**
   * Takes the first packs of a table, which are whole, and has it forget them.
   *
   * @throws IOException if they could not be written: then they are where they were
   */
  void take(ChunkTable table, int endPack) throws IOException {
    try {
      Section section = inOrder(table, endPack);
      Path file = temporary.newName();
      ChunkRun run =
          sorted(
              file,
              ChunkRunWriter.SORTED_AT_ONCE,
              w -> table.visit(table.firstPack(), endPack, p -> true, w));
      sections.add(section);
      sorted.add(new Sorted(file, 0));
      runs.add(run);
      table.forgetBefore(endPack);
    } catch (IOException e) {
      giveBack(e);
      throw e;
    }
  }

  /** Where the disk is full, others need what was written for nothing. */
  private void giveBack(IOException failure) {
    try {
      if (ordered != null) {
        ordered.setLength(end());
      }
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  private long end() {
    return sections.isEmpty() ? 0 : sections.get(sections.size() - 1).end();
  }

  private Section inOrder(ChunkTable table, int endPack) throws IOException {
    RandomAccessFile file = ordered();
    long begin = end();
    file.seek(begin);
    CheckedOutputStream out =
        new CheckedOutputStream(
            new BufferedOutputStream(new Appending(file), BUFFER_BYTES), new CRC32C());
    IndexPart.Writer part = new IndexPart.Writer(out);
    table.visit(table.firstPack(), endPack, p -> true, part.visitor());
    part.flush();
    return new Section(
        table.firstPack(), endPack, begin, file.getFilePointer(), out.getChecksum().getValue());
  }

  private RandomAccessFile ordered() throws IOException {
    if (ordered == null) {
      orderedFile = temporary.newFile();
      ordered = new RandomAccessFile(orderedFile.toFile(), "rw");
    }
    return ordered;
  }

  @FunctionalInterface
  private interface Content {
    void writeTo(ChunkRunWriter run) throws IOException;
  }

  private ChunkRun sorted(Path file, int sortedAtOnce, Content content) throws IOException {
    boolean isDone = false;
    try (ChunkRunWriter run = new ChunkRunWriter(temporary, sortedAtOnce)) {
      content.writeTo(run);
      run.finish(file);
      ChunkRun opened = ChunkRun.open(file);
      isDone = true;
      return opened;
    } finally {
      if (!isDone) {
        Files.deleteIfExists(file);
      }
    }
  }

  /**
   * Merges sorted files where there are too many of a size.
   *
   * @throws IOException if they could not be merged: then they are as they were
   */
  void merge() throws IOException {
    while (isAlike()) {
      int merges = sorted.get(sorted.size() - 1).merges() + 1;
      Path file = temporary.newName();
      ChunkRun merged =
          sorted(
              file,
              1,
              w -> {
                for (ChunkRun run : runs.last(MERGED_AT_ONCE)) {
                  w.addAll(run);
                }
              });
      List<Sorted> before = sorted.subList(sorted.size() - MERGED_AT_ONCE, sorted.size());
      List<Sorted> old = List.copyOf(before);
      before.clear();
      sorted.add(new Sorted(file, merges));
      runs.replaceLast(MERGED_AT_ONCE, merged);
      for (Sorted gone : old) {
        Files.deleteIfExists(gone.file());
      }
    }
  }

  private boolean isAlike() {
    int size = sorted.size();
    return size >= MERGED_AT_ONCE
        && sorted.get(size - MERGED_AT_ONCE).merges() == sorted.get(size - 1).merges();
  }

  /** Hands over packs that are wanted, in order, with their chunks. */
  void visit(int from, int to, IntPredicate isWanted, IndexPart.Visitor visitor)
      throws IOException {
    for (Section section : sections) {
      if (section.firstPack() < to && section.endPack() > from) {
        requireUnchanged(section);
        IndexPart.read(
            open(section),
            writer,
            String.valueOf(orderedFile),
            new Wanted(section.firstPack(), p -> p >= from && p < to && isWanted.test(p), visitor));
      }
    }
  }

  private void requireUnchanged(Section section) throws IOException {
    CheckedInputStream in = new CheckedInputStream(open(section), new CRC32C());
    in.transferTo(OutputStream.nullOutputStream());
    if (in.getChecksum().getValue() != section.sum()) {
      throw new IOException(
          orderedFile + " was changed while a run needed it; hint: run the backup again");
    }
  }

  /** There is nothing to close. */
  private InputStream open(Section section) throws IOException {
    RandomAccessFile file = ordered();
    file.seek(section.begin());
    return new BufferedInputStream(
        BoundedInput.upTo(new Reading(file), section.end() - section.begin()), BUFFER_BYTES);
  }

  /** Writes on where a file stands. */
  private static final class Appending extends OutputStream {
    private final RandomAccessFile file;

    Appending(RandomAccessFile file) {
      this.file = file;
    }

    @Override
    public void write(int b) throws IOException {
      file.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      file.write(bytes, offset, length);
    }
  }

  /** Reads on where a file stands. */
  private static final class Reading extends InputStream {
    private final RandomAccessFile file;

    Reading(RandomAccessFile file) {
      this.file = file;
    }

    @Override
    public int read() throws IOException {
      return file.read();
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      return file.read(into, offset, length);
    }
  }

  /** Passes on those packs of a section that are wanted. */
  private static final class Wanted implements IndexPart.Visitor {
    private final IntPredicate isWanted;
    private final IndexPart.Visitor visitor;
    private int next;
    private boolean isPassed;

    Wanted(int firstPack, IntPredicate isWanted, IndexPart.Visitor visitor) {
      this.next = firstPack;
      this.isWanted = isWanted;
      this.visitor = visitor;
    }

    @Override
    public void pack(ObjectRef pack, int chunks) throws IOException {
      isPassed = isWanted.test(next++);
      if (isPassed) {
        visitor.pack(pack, chunks);
      }
    }

    @Override
    public void chunk(byte[] id, int offset, int storedBytes, int plainBytes) throws IOException {
      if (isPassed) {
        visitor.chunk(id, offset, storedBytes, plainBytes);
      }
    }
  }

  /** Removes the files. */
  @Override
  public void close() throws IOException {
    if (ordered != null) {
      ordered.close();
    }
    if (orderedFile != null) {
      Files.deleteIfExists(orderedFile);
    }
    for (Sorted gone : sorted) {
      Files.deleteIfExists(gone.file());
    }
  }
}
