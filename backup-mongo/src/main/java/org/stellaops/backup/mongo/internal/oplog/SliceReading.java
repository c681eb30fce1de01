package org.stellaops.backup.mongo.internal.oplog;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.bson.BsonTimestamp;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.mongo.internal.archive.DocumentSink;
import org.stellaops.backup.spi.RecordedStream;

/**
 * Reads the entries of a recorded oplog in order, as far as they lead on without a gap. A slice is
 * read to its end, where its digest is compared, before an entry of it is handed on.
 */
public final class SliceReading {
  /** A unit of 16 MiB, or an entry that is larger than that, with room to spare. */
  private static final int MOST_SLICE_BYTES = 64 << 20;

  private static final Comparator<SliceSpan> BY_PLACE =
      (a, b) -> Long.compareUnsigned(a.from().offset(), b.from().offset());

  private final RecordedStream stream;
  private final List<SliceSpan> path;

  private SliceReading(RecordedStream stream, List<SliceSpan> path) {
    this.stream = stream;
    this.path = path;
  }

  /**
   * What leads on from a place.
   *
   * @param from the first entry that is needed
   */
  public static SliceReading of(RecordedStream stream, BsonTimestamp from) {
    List<SliceSpan> slices = new ArrayList<>(stream.coverage().slices());
    slices.sort(
        BY_PLACE.thenComparing((a, b) -> Long.compareUnsigned(b.to().offset(), a.to().offset())));
    List<SliceSpan> path = new ArrayList<>();
    long reached = from.getValue() - 1;
    for (SliceSpan slice : slices) {
      boolean goesOn =
          Long.compareUnsigned(slice.from().offset(), reached) <= 0
              && Long.compareUnsigned(slice.to().offset(), reached) > 0
              && (path.isEmpty() || leadsOn(path.get(path.size() - 1), slice));
      if (goesOn) {
        path.add(slice);
        reached = slice.to().offset();
      }
    }
    return new SliceReading(stream, path);
  }

  /** On the same term, or of a later one that began exactly where this one ends. */
  private static boolean leadsOn(SliceSpan before, SliceSpan next) {
    return next.from().branch() == before.to().branch()
        || (next.from().branch() > before.to().branch()
            && next.from().offset() == before.to().offset());
  }

  /** The slices that are read, in order. */
  public List<SliceSpan> slices() {
    return List.copyOf(path);
  }

  /** The last entry that can be reached; the first that is needed less one if there is none. */
  public Optional<BsonTimestamp> end() {
    return path.isEmpty()
        ? Optional.empty()
        : Optional.of(OplogTimes.timestamp(path.get(path.size() - 1).to()));
  }

  /**
   * Hands on every entry of these slices, so also some that are before what is needed.
   *
   * @param isEnough whether nothing more is wanted; asked between slices
   */
  public void copyTo(DocumentSink out, BooleanSupplier isEnough) throws IOException {
    for (SliceSpan slice : path) {
      if (isEnough.getAsBoolean()) {
        return;
      }
      byte[] bytes = read(slice);
      int at = 0;
      while (at < bytes.length) {
        int length = bytes.length - at < 5 ? -1 : RawDocument.int32(bytes, at);
        if (length < 5 || length > bytes.length - at) {
          throw new BackupException.Corrupt(
              CoreFailure.MALFORMED,
              "slice %s of the oplog: no entry at byte %d".formatted(slice, at));
        }
        out.document(bytes, at, length);
        at += length;
      }
    }
  }

  private byte[] read(SliceSpan slice) throws IOException {
    try (InputStream in = stream.open(slice)) {
      byte[] bytes = in.readNBytes(MOST_SLICE_BYTES);
      if (in.read() >= 0) {
        throw new BackupException.Corrupt(
            CoreFailure.MALFORMED,
            "slice %s of the oplog has more than %d bytes".formatted(slice, MOST_SLICE_BYTES));
      }
      return bytes;
    }
  }
}
