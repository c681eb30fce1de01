package org.stellaops.backup.storage.gcs;

import com.google.cloud.storage.Blob;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.StoreAbility;

/**
 * Sets damaged objects aside. The damaged one gets a second name before it loses the first, and
 * loses it by a request that holds for exactly the generation that was set aside.
 */
final class GcsMending implements StoreAbility.Mending {
  private static final int BUFFER_BYTES = 1 << 16;

  private final GcsStore store;
  private final GcsRequests requests;
  private final GcsUpload upload;

  GcsMending(GcsStore store, GcsRequests requests, GcsUpload upload) {
    this.store = store;
    this.requests = requests;
    this.upload = upload;
  }

  @Override
  public void mend(ObjectName name, ObjectBody body) throws IOException {
    Blob damaged = requests.get("mend " + name, name);
    setAside(name, stored(name));
    upload.replace(name, damaged.getGeneration(), body);
  }

  private void setAside(ObjectName name, ObjectBody damaged) throws IOException {
    for (int number = 1; ; number++) {
      ObjectName aside = ObjectName.of(name + ".damaged" + (number == 1 ? "" : "-" + number));
      try {
        upload.create(aside, damaged);
        return;
      } catch (BackupException.Sink e) {
        if (e.reason() != Reason.ALREADY_EXISTS) {
          throw e;
        }
        String digest =
            GcsUpload.metadata(requests.get("mend " + name, aside)).get(GcsUpload.DIGEST);
        if (damaged.digest().hex().equals(digest)) {
          // An earlier attempt came as far as this.
          return;
        }
      }
    }
  }

  /** What is stored there now, whatever it is; read once to know its digest. */
  private ObjectBody stored(ObjectName name) throws IOException {
    MessageDigest digest = Digest.sha256();
    long length = 0;
    try (InputStream in = store.open(name, ByteRange.ALL)) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
        length += n;
      }
    }
    return new StoredBody(store, name, length, Digest.of(digest.digest()));
  }

  private record StoredBody(GcsStore store, ObjectName name, long lengthBytes, Digest digest)
      implements ObjectBody {
    @Override
    public InputStream open() throws IOException {
      return store.open(name, ByteRange.ALL);
    }
  }
}
