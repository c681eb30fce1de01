package org.stellaops.backup.internal.run;

import com.github.luben.zstd.ZstdOutputStream;
import java.io.Closeable;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.stellaops.backup.internal.pipeline.Padding;
import org.stellaops.backup.spi.Encryptor;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.Recipient;

/** An object of the repository's own, compressed, padded and sealed on its way to a file. */
final class SealedSpool implements Closeable {
  private static final int LEVEL = 3;
  private final Spool spool;
  private final Encryptor.Sealing sealing;
  private final Counter counter;
  private final ZstdOutputStream plain;

  SealedSpool(Workspace workspace, List<? extends Recipient> to) throws IOException {
    spool = workspace.spool();
    boolean isReady = false;
    try {
      sealing = to.get(0).format().seal(spool, to);
      counter = new Counter(sealing);
      plain = new ZstdOutputStream(counter, LEVEL);
      isReady = true;
    } finally {
      if (!isReady) {
        spool.close();
      }
    }
  }

  /** Where plain bytes go. */
  OutputStream plain() {
    return plain;
  }

  /** Ends the object, padded so that its length tells little. Valid until this is closed. */
  ObjectBody finish() throws IOException {
    plain.close();
    sealing.write(Padding.after(counter.bytes));
    sealing.finish();
    return spool.body();
  }

  /** Ends the object as it is: how long its content is stands in clear elsewhere. */
  ObjectBody finishBare() throws IOException {
    plain.close();
    sealing.finish();
    return spool.body();
  }

  @Override
  public void close() throws IOException {
    try (spool;
        sealing) {
      plain.close();
    }
  }

  /** Counts, and leaves what is underneath open. */
  private static final class Counter extends FilterOutputStream {
    private long bytes;

    Counter(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] from, int offset, int count) throws IOException {
      out.write(from, offset, count);
      bytes += count;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      bytes++;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
