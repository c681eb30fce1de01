package org.stellaops.backup.storage.gcs;

import com.google.cloud.storage.Blob;
import com.google.cloud.storage.BlobInfo;
import com.google.cloud.storage.Storage.BlobTargetOption;
import com.google.cloud.storage.Storage.CopyRequest;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreAbility;

/**
 * Copies between buckets by rewriting; the copy appears when the last call says that it is done.
 */
final class GcsCopy implements StoreAbility.ServerCopy {
  private final GcsConnection connection;
  private final GcsRequests requests;
  private final GcsUpload upload;

  GcsCopy(GcsConnection connection, GcsRequests requests, GcsUpload upload) {
    this.connection = connection;
    this.requests = requests;
    this.upload = upload;
  }

  @Override
  public boolean copy(ReadableStore from, ObjectName name) throws IOException {
    Optional<GcsOrigin> near =
        from.ability(GcsOrigin.class)
            .filter(origin -> connection.isOfSameServiceAs(origin.connection()));
    if (near.isEmpty()) {
      return false;
    }
    String tried = "copy " + name;
    Blob found = near.get().requests().get(tried, name);
    String nonce = UUID.randomUUID().toString();
    Map<String, String> metadata = new TreeMap<>(GcsUpload.metadata(found));
    metadata.put(GcsUpload.NONCE, nonce);
    BlobInfo target = upload.info(name, metadata).build();
    CopyRequest request =
        CopyRequest.newBuilder()
            .setSource(found.getBlobId())
            .setTarget(target, BlobTargetOption.doesNotExist())
            .build();
    upload.settle(
        tried,
        name,
        nonce,
        true,
        () ->
            requests.send(
                tried, GcsRequests.CREATE, () -> connection.storage().copy(request).getResult()));
    return true;
  }
}
