package org.stellaops.backup.internal.run;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.stellaops.backup.internal.repository.BoundedInput;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StreamEntry.Companion;
import org.stellaops.backup.internal.repository.StreamEntry.Slice;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.internal.zstd.Decompressed;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.RecordedStream;

/** Reads what was recorded of a stream with the identities of its epochs. One thread. */
final class StreamReplay implements RecordedStream {
  private final StoreAccess store;
  private final Coverage coverage;
  private final Map<SliceSpan, Slice> slices = new LinkedHashMap<>();
  private final Map<String, Companion> companions;
  private final EpochKeys epochs;

  /** Opens epochs by their id. */
  @FunctionalInterface
  interface EpochKeys {
    /** The identity, which stays whose it is. */
    Identity open(String epoch) throws IOException;
  }

  /**
   * @param log with at least one entry
   */
  StreamReplay(StoreAccess store, StreamLog log, EpochKeys epochs) {
    this.store = store;
    this.coverage =
        log.coverage()
            .orElseThrow(() -> new IllegalArgumentException("nothing recorded in " + log.log()));
    this.companions = log.companions();
    this.epochs = epochs;
    // A later one of the same range is the larger tier's.
    log.slices().forEach(s -> slices.put(s.span(), s));
  }

  @Override
  public Coverage coverage() {
    return coverage;
  }

  @Override
  public Set<String> companions() {
    return Set.copyOf(companions.keySet());
  }

  @Override
  public InputStream open(SliceSpan span) throws IOException {
    Slice slice = slices.get(span);
    if (slice == null) {
      throw new IllegalArgumentException("not a slice of " + coverage.log() + ": " + span);
    }
    return open(slice.object(), slice.epoch(), span.lengthBytes());
  }

  @Override
  public InputStream openCompanion(String name) throws IOException {
    Companion companion = companions.get(name);
    if (companion == null) {
      throw new IllegalArgumentException("not a file of " + coverage.log() + ": " + name);
    }
    return open(companion.object(), companion.epoch(), companion.plainBytes());
  }

  /**
   * The stored digest is compared before a byte of it is believed: it comes from a signed entry.
   */
  private InputStream open(ObjectRef object, String epoch, long plainBytes) throws IOException {
    Identity identity = epochs.open(epoch);
    InputStream stored = store.openVerified(object);
    boolean isOpen = false;
    try {
      InputStream plain = identity.format().open(stored, List.of(identity));
      isOpen = true;
      return new Exactly(Decompressed.of(plain, object.toString()), plainBytes, object.toString());
    } finally {
      if (!isOpen) {
        stored.close();
      }
    }
  }

  /** That it is longer or shorter than its entry says is damage. */
  private static final class Exactly extends FilterInputStream {
    private final long length;
    private final String what;
    private long read;

    Exactly(InputStream in, long length, String what) throws IOException {
      super(new BoundedInput(in, length, what));
      this.length = length;
      this.what = what;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int count) throws IOException {
      int n = super.read(into, offset, count);
      if (n > 0) {
        read += n;
      } else if (n < 0 && read < length) {
        throw new BackupException.Corrupt(
            CoreFailure.TRUNCATED,
            "%s has %d plain bytes, its entry says %d".formatted(what, read, length));
      }
      return n;
    }
  }
}
