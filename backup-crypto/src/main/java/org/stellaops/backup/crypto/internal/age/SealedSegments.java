package org.stellaops.backup.crypto.internal.age;

import static org.stellaops.backup.crypto.internal.age.Segments.SEALED_BYTES;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** Sealed segments one after another, and the knowledge of which is the last of the payload. */
interface SealedSegments extends Closeable {
  /** Index of the first. */
  long firstIndex();

  /**
   * Reads the next segment.
   *
   * @param sealed {@link Segments#SEALED_BYTES} long
   * @return how many bytes it has, full but for the last; -1 if there is no further one
   */
  int next(byte[] sealed) throws IOException;

  /** Whether the segment just read ends the payload. */
  boolean isLast();

  /** All there is in a stream: the last segment is the one behind which the stream ends. */
  static SealedSegments toTheEnd(InputStream stored) {
    return new SealedSegments() {
      private static final int NOT_READ = -2;
      private static final int NONE = -1;

      /** One byte ahead, since only it tells whether a full segment is the last. */
      private int ahead = NOT_READ;

      @Override
      public long firstIndex() {
        return 0;
      }

      @Override
      public int next(byte[] sealed) throws IOException {
        if (ahead == NONE) {
          return -1;
        }
        int length = 0;
        if (ahead != NOT_READ) {
          sealed[length++] = (byte) ahead;
        }
        length += stored.readNBytes(sealed, length, SEALED_BYTES - length);
        ahead = length == SEALED_BYTES ? stored.read() : NONE;
        return length;
      }

      @Override
      public boolean isLast() {
        return ahead == NONE;
      }

      @Override
      public void close() throws IOException {
        stored.close();
      }
    };
  }

  /**
   * Neighbouring segments of a payload of known length.
   *
   * @param stored begins at segment {@code first}
   */
  static SealedSegments range(InputStream stored, Segments segments, long first, long last) {
    return new SealedSegments() {
      private long next = first;

      @Override
      public long firstIndex() {
        return first;
      }

      @Override
      public int next(byte[] sealed) throws IOException {
        if (next > last) {
          return -1;
        }
        int expected = (int) segments.storedBytes(next, next);
        int found = stored.readNBytes(sealed, 0, expected);
        if (found < expected) {
          throw new BackupException.Corrupt(
              CoreFailure.TRUNCATED,
              "age file ends inside segment %d: %d stored bytes expected, %d found"
                  .formatted(next, expected, found));
        }
        next++;
        return expected;
      }

      @Override
      public boolean isLast() {
        return next == segments.count();
      }

      @Override
      public void close() throws IOException {
        stored.close();
      }
    };
  }
}
