package org.stellaops.backup.storage.azure;

import com.azure.core.util.Context;
import com.azure.storage.blob.models.BlobProperties;
import com.azure.storage.blob.models.BlobRequestConditions;
import com.azure.storage.blob.options.BlobCopyFromUrlOptions;
import com.azure.storage.blob.specialized.BlockBlobClient;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;

/**
 * Copies between containers of one service by <i>Copy Blob From URL</i>, which answers when the
 * copy is whole; the kind that goes on by itself shows an empty blob meanwhile.
 */
final class AzureCopy implements StoreAbility.ServerCopy {
  /** The limit of Copy Blob From URL. */
  private static final long MAX_BYTES = 256L << 20;

  private final AzureConnection connection;
  private final AzureRequests requests;
  private final AzureUpload upload;
  private final AzureSettings settings;
  private final StoreContext context;

  AzureCopy(
      AzureConnection connection,
      AzureRequests requests,
      AzureUpload upload,
      AzureSettings settings,
      StoreContext context) {
    this.connection = connection;
    this.requests = requests;
    this.upload = upload;
    this.settings = settings;
    this.context = context;
  }

  @Override
  public boolean copy(ReadableStore from, ObjectName name) throws IOException {
    Optional<AzureConnection> near =
        from.ability(AzureOrigin.class)
            .map(AzureOrigin::connection)
            .filter(connection::isOfSameServiceAs);
    if (near.isEmpty()) {
      return false;
    }
    AzureConnection source = near.get();
    String tried = "copy " + name;
    BlobProperties found = requests.send(tried, "read blobs", source.blob(name)::getProperties);
    if (found.getBlobSize() > MAX_BYTES) {
      return false;
    }
    String nonce = UUID.randomUUID().toString();
    BlobCopyFromUrlOptions options =
        requests
            .send(tried, "read blobs", () -> source.source(name, context.clock().instant()))
            .setMetadata(metadata(found, nonce))
            .setTier(AzureUpload.tier(settings.tier()))
            .setDestinationRequestConditions(new BlobRequestConditions().setIfNoneMatch("*"));
    BlockBlobClient blob = connection.blob(name);
    upload.settle(
        tried, name, nonce, true, () -> blob.copyFromUrlWithResponse(options, null, Context.NONE));
    return true;
  }

  private static Map<String, String> metadata(BlobProperties source, String nonce) {
    Map<String, String> metadata = new TreeMap<>(source.getMetadata());
    metadata.put(AzureUpload.NONCE, nonce);
    return metadata;
  }
}
