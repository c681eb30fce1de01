package org.stellaops.backup.store;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoredObject;

/**
 * A sink of which somebody says how much may be put into it: a bucket with a quota, or one that is
 * not to cost more. Forecasts and thresholds then know how much room there is; a put is refused by
 * nobody but the store itself.
 *
 * <p>What is used is the sum of all objects that the store lists, asked anew each time: before a
 * run, and for a report. Older versions and unfinished uploads, which some providers count, too,
 * are not in it.
 */
public final class QuotaSink implements BackupSink {
  private final BackupSink sink;
  private final long quotaBytes;

  private QuotaSink(BackupSink sink, long quotaBytes) {
    this.sink = sink;
    this.quotaBytes = quotaBytes;
  }

  /**
   * This sink with a quota.
   *
   * @param quotaBytes from 1 on
   * @throws IllegalArgumentException if it is less
   */
  public static QuotaSink of(BackupSink sink, long quotaBytes) {
    if (quotaBytes < 1) {
      throw new IllegalArgumentException("a quota of %d bytes".formatted(quotaBytes));
    }
    return new QuotaSink(sink, quotaBytes);
  }

  @Override
  public String describe() {
    return sink.describe();
  }

  @Override
  public ObjectStore open(StoreContext context) throws IOException {
    return new Limited(sink.open(context), quotaBytes);
  }

  private static final class Limited extends ForwardingStore {
    private final long quotaBytes;

    Limited(ObjectStore inner, long quotaBytes) {
      super(inner);
      this.quotaBytes = quotaBytes;
    }

    /** All others are the store's own: nothing is done here that they would go past. */
    @Override
    public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
      return type == StoreAbility.Capacity.class
          ? Optional.of(type.cast(new Room()))
          : inner().ability(type);
    }

    private final class Room implements StoreAbility.Capacity {
      @Override
      public OptionalLong freeBytes() throws IOException {
        long used = 0;
        PageToken token = PageToken.START;
        while (!token.equals(PageToken.END)) {
          ObjectPage page = list("", token);
          used += page.objects().stream().mapToLong(StoredObject::lengthBytes).sum();
          token = page.next();
        }
        return OptionalLong.of(Math.max(0, quotaBytes - used));
      }

      @Override
      public OptionalLong totalBytes() {
        return OptionalLong.of(quotaBytes);
      }
    }
  }
}
