package org.stellaops.backup.internal.cloud;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;

/**
 * What is stored under a name and is not what the name says: to be put under a second name before
 * it loses the first.
 */
public final class DamagedObject implements ObjectBody {
  private static final int BUFFER_BYTES = 1 << 16;

  private final ObjectStore store;
  private final ObjectName name;
  private final long lengthBytes;
  private final Digest digest;

  private DamagedObject(ObjectStore store, ObjectName name, long lengthBytes, Digest digest) {
    this.store = store;
    this.name = name;
    this.lengthBytes = lengthBytes;
    this.digest = digest;
  }

  /** Reads it once, to know what it is. */
  public static DamagedObject in(ObjectStore store, ObjectName name) throws IOException {
    MessageDigest digest = Digest.sha256();
    long length = 0;
    try (InputStream in = store.open(name, ByteRange.ALL)) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
        length += n;
      }
    }
    return new DamagedObject(store, name, length, Digest.of(digest.digest()));
  }

  /** Puts it under {@code .damaged}, {@code .damaged-2} and so on, unless it is there already. */
  public void setAside(Holding holding) throws IOException {
    for (int number = 1; ; number++) {
      ObjectName aside = ObjectName.of(name + ".damaged" + (number == 1 ? "" : "-" + number));
      try {
        store.put(aside, this);
        return;
      } catch (BackupException.Sink e) {
        if (e.reason() != Reason.ALREADY_EXISTS) {
          throw e;
        }
        if (holding.holds(aside, digest)) {
          // An earlier attempt came as far as this.
          return;
        }
      }
    }
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public Digest digest() {
    return digest;
  }

  @Override
  public InputStream open() throws IOException {
    return store.open(name, ByteRange.ALL);
  }

  /** Says what an object is. */
  @FunctionalInterface
  public interface Holding {
    /** Whether it was put with bytes of that digest. */
    boolean holds(ObjectName name, Digest digest) throws IOException;
  }
}
