package org.stellaops.backup.storage.azure;

import com.azure.storage.blob.models.BlobProperties;
import java.io.IOException;
import org.stellaops.backup.internal.cloud.DamagedObject;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.StoreAbility;

/**
 * Sets damaged blobs aside. The damaged one gets a second name before it loses the first, and loses
 * it by a request that holds for exactly the version that was set aside.
 */
final class AzureMending implements StoreAbility.Mending {
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
    DamagedObject.in(store, name)
        .setAside((aside, digest) -> AzureUpload.isOf(properties(aside), digest));
    upload.replace(name, damaged.getETag(), body);
  }

  private BlobProperties properties(ObjectName name) throws IOException {
    return requests.send("mend " + name, "read blobs", connection.blob(name)::getProperties);
  }
}
