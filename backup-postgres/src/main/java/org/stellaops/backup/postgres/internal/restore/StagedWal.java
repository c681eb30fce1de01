package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Instant;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.internal.restore.ReplayPath.Part;
import org.stellaops.backup.postgres.internal.restore.ReplayPath.Piece;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.WalListener;
import org.stellaops.backup.postgres.internal.wal.WalOrigin;
import org.stellaops.backup.postgres.internal.wal.WalScanner;
import org.stellaops.backup.postgres.internal.wal.WalSegmentName;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.RestoreSession;

/**
 * WAL as files that a server can copy: whole segments, the last one of a timeline padded with
 * zeros, and the histories of all timelines. Each record is checked as it is written.
 */
final class StagedWal {
  private static final int BUFFER_BYTES = 256 << 10;

  private final RestoreSession session;
  private final RecordedStream stream;
  private final Path directory;
  private final SegmentSize size;
  private final byte[] buffer = new byte[BUFFER_BYTES];

  /**
   * @param directory made already
   */
  StagedWal(RestoreSession session, RecordedStream stream, Path directory, SegmentSize size) {
    this.session = session;
    this.stream = stream;
    this.directory = directory;
    this.size = size;
  }

  /** The bytes of a part, verified at the end of its slice. The caller closes. */
  static InputStream open(RecordedStream stream, Part part) throws IOException {
    InputStream in = stream.open(part.slice());
    boolean isReady = false;
    try {
      in.skipNBytes(part.from().position() - part.slice().from().offset());
      isReady = true;
      return new UpTo(in, part.to().position() - part.from().position());
    } finally {
      if (!isReady) {
        in.close();
      }
    }
  }

  /** Writes the WAL of a replay. */
  void write(Replay replay, String system, int major) throws IOException {
    for (String name : stream.companions()) {
      copy(name);
    }
    for (Piece piece : replay.pieces()) {
      WalOrigin origin = new WalOrigin(major, system, size, piece.timeline());
      write(piece, new WalScanner(origin, piece.from(), new Unheard()));
    }
  }

  private void copy(String name) throws IOException {
    try (InputStream in = stream.openCompanion(name);
        FileChannel out = Directories.createFile(directory.resolve(name))) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        writeFully(out, 0, n);
      }
    }
  }

  private void write(Piece piece, WalScanner scanner) throws IOException {
    Segments segments = new Segments(piece);
    try {
      for (Part part : ReplayPath.parts(stream.coverage(), piece)) {
        try (InputStream in = open(stream, part)) {
          for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            session.stopping().check();
            scanner.accept(buffer, 0, n);
            segments.write(n);
          }
        }
      }
    } finally {
      segments.close();
    }
  }

  private void writeFully(FileChannel out, int offset, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(buffer, offset, length);
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  /** The files of a piece, one after the other. */
  private final class Segments implements AutoCloseable {
    private WalSegmentName next;
    private FileChannel file;
    private long left;

    Segments(Piece piece) throws IOException {
      next = WalSegmentName.holding(piece.from(), piece.timeline(), size);
      file = begin();
    }

    private FileChannel begin() throws IOException {
      FileChannel fresh = Directories.createFile(directory.resolve(next.toString()));
      next = next.next();
      left = size.bytes();
      return fresh;
    }

    void write(int length) throws IOException {
      int done = 0;
      while (done < length) {
        if (left == 0) {
          file.close();
          file = begin();
        }
        int count = (int) Math.min(left, length - done);
        writeFully(file, done, count);
        left -= count;
        done += count;
      }
    }

    /** A server takes no file of another size. */
    @Override
    public void close() throws IOException {
      try (FileChannel last = file) {
        if (left > 0) {
          last.write(ByteBuffer.wrap(new byte[1]), size.bytes() - 1L);
        }
      }
    }
  }

  /** The beginning of a slice; what follows is read, too, since only its end proves it. */
  private static final class UpTo extends java.io.FilterInputStream {
    private long left;

    UpTo(InputStream in, long length) {
      super(in);
      this.left = length;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (left == 0) {
        in.transferTo(java.io.OutputStream.nullOutputStream());
        return -1;
      }
      int n = in.read(into, offset, (int) Math.min(length, left));
      left -= Math.max(0, n);
      return n;
    }
  }

  /** Only whether the WAL is sound is of interest. */
  private static final class Unheard implements WalListener {
    @Override
    public void committed(Lsn end, long xid, Instant time) {}

    @Override
    public void aborted(Lsn end, long xid, Instant time) {}

    @Override
    public void restorePoint(Lsn end, String name, Instant time) {}
  }
}
