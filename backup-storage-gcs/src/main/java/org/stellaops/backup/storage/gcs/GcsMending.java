package org.stellaops.backup.storage.gcs;

import com.google.cloud.storage.Blob;
import java.io.IOException;
import org.stellaops.backup.internal.cloud.DamagedObject;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.StoreAbility;

/**
 * Sets damaged objects aside. The damaged one gets a second name before it loses the first, and
 * loses it by a request that holds for exactly the generation that was set aside.
 */
final class GcsMending implements StoreAbility.Mending {
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
    DamagedObject.in(store, name).setAside(this::holds);
    upload.replace(name, damaged.getGeneration(), body);
  }

  private boolean holds(ObjectName name, Digest digest) throws IOException {
    Blob found = requests.get("mend " + name, name);
    return digest.hex().equals(GcsUpload.metadata(found).get(GcsUpload.DIGEST));
  }
}
