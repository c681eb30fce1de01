package org.stellaops.backup.storage.azure;

import com.azure.storage.blob.models.BlobProperties;
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
 * Sets damaged blobs aside. The damaged one gets a second name before it loses the first, and loses
 * it by a request that holds for exactly the version that was set aside.
 */
final class AzureMending implements StoreAbility.Mending {
  private static final int BUFFER_BYTES = 1 << 16;

  private final AzureStore store;
  private final AzureConnection connection;
  private final AzureRequests requests;
  private final AzureUpload upload;

  AzureMending(
      AzureStore store, AzureConnection connection, AzureRequests requests, AzureUpload upload) {
    this.store = store;
    this.connection = connection;
    this.requests = requests;
    this.upload = upload;
  }

  @Override
  public void mend(ObjectName name, ObjectBody body) throws IOException {
    BlobProperties damaged = properties(name);
    setAside(name, stored(name));
    upload.replace(name, damaged.getETag(), body);
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
        if (AzureUpload.isOf(properties(aside), damaged.digest())) {
          // An earlier attempt came as far as this.
          return;
        }
      }
    }
  }

  private BlobProperties properties(ObjectName name) throws IOException {
    return requests.send("mend " + name, "read blobs", connection.blob(name)::getProperties);
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
    return new StoredBody(name, length, Digest.of(digest.digest()));
  }

  private final class StoredBody implements ObjectBody {
    private final ObjectName name;
    private final long lengthBytes;
    private final Digest digest;

    StoredBody(ObjectName name, long lengthBytes, Digest digest) {
      this.name = name;
      this.lengthBytes = lengthBytes;
      this.digest = digest;
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
  }
}
