package org.stellaops.backup.storage.azure;

import com.azure.core.http.rest.PagedResponse;
import com.azure.core.util.Context;
import com.azure.storage.blob.models.BlobItem;
import com.azure.storage.blob.models.BlobListDetails;
import com.azure.storage.blob.models.BlobProperties;
import com.azure.storage.blob.models.BlobRequestConditions;
import com.azure.storage.blob.models.ListBlobsOptions;
import com.azure.storage.blob.options.BlobCopyFromUrlOptions;
import com.azure.storage.blob.specialized.BlockBlobClient;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;

/**
 * The versions of blobs that are not the current one, in accounts with versioning. What is brought
 * back is copied on top, within the container. Blobs that were soft-deleted without versions are
 * not among them: nobody can read those before they are there again.
 */
final class AzureHistory implements StoreAbility.History {
  private final AzureSettings settings;
  private final AzureConnection connection;
  private final AzureRequests requests;
  private final AzureUpload upload;
  private final StoreContext context;

  AzureHistory(
      AzureSettings settings,
      AzureConnection connection,
      AzureRequests requests,
      AzureUpload upload,
      StoreContext context) {
    this.settings = settings;
    this.connection = connection;
    this.requests = requests;
    this.upload = upload;
    this.context = context;
  }

  @Override
  public void kept(String prefix, Each each) throws IOException {
    List<BlobItem> ofOne = new ArrayList<>();
    String marker = null;
    do {
      PagedResponse<BlobItem> page = page(prefix, Optional.ofNullable(marker));
      for (BlobItem blob : page.getValue()) {
        if (!ofOne.isEmpty() && !ofOne.get(0).getName().equals(blob.getName())) {
          tell(ofOne, each);
          ofOne.clear();
        }
        ofOne.add(blob);
      }
      marker = page.getContinuationToken();
    } while (marker != null && !marker.isEmpty());
    tell(ofOne, each);
  }

  private PagedResponse<BlobItem> page(String prefix, Optional<String> marker) throws IOException {
    var options =
        new ListBlobsOptions()
            .setPrefix(settings.cloud().prefix() + prefix)
            .setDetails(new BlobListDetails().setRetrieveVersions(true));
    return requests.send(
        "versions of " + prefix,
        "list blobs",
        () -> {
          Iterator<PagedResponse<BlobItem>> pages =
              connection
                  .container()
                  .listBlobs(options, marker.orElse(null), null)
                  .iterableByPage()
                  .iterator();
          return pages.next();
        });
  }

  /**
   * @param ofOne everything of one name, the oldest version first, as Azure lists them: an id is
   *     the time at which a version came to be
   */
  private void tell(List<BlobItem> ofOne, Each each) throws IOException {
    ofOne.sort(Comparator.comparing(blob -> String.valueOf(blob.getVersionId())));
    boolean isReplaced = ofOne.stream().anyMatch(AzureHistory::isCurrent);
    Optional<Instant> hiddenAt = Optional.empty();
    for (int i = ofOne.size() - 1; i >= 0; i--) {
      BlobItem blob = ofOne.get(i);
      Instant storedAt = blob.getProperties().getLastModified().toInstant();
      Optional<ObjectName> name = settings.name(blob.getName());
      if (name.isPresent() && !isCurrent(blob)) {
        each.take(
            new KeptVersion(
                name.get(),
                blob.getVersionId(),
                blob.getProperties().getContentLength(),
                storedAt,
                hiddenAt,
                isReplaced));
      }
      hiddenAt = Optional.of(storedAt);
    }
  }

  /** Where no versions are kept there is one of each, without an id. */
  private static boolean isCurrent(BlobItem blob) {
    return blob.getVersionId() == null || Boolean.TRUE.equals(blob.isCurrentVersion());
  }

  @Override
  public InputStream open(KeptVersion version, ByteRange range) throws IOException {
    return BlobInput.open(
        "open a version of " + version.name(),
        connection.version(version),
        requests,
        settings.cloud().partBytes(),
        range);
  }

  @Override
  public void bringBack(KeptVersion version) throws IOException {
    String tried = "bring back " + version.name();
    BlockBlobClient earlier = connection.version(version);
    BlobProperties found = requests.send(tried, "read blobs", earlier::getProperties);
    String nonce = UUID.randomUUID().toString();
    Map<String, String> metadata = new TreeMap<>(found.getMetadata());
    metadata.put(AzureUpload.NONCE, nonce);
    BlobRequestConditions conditions = onTopOf(tried, version.name());
    BlobCopyFromUrlOptions options =
        connection
            .source(earlier, context.clock().instant())
            .setMetadata(metadata)
            .setTier(AzureUpload.tier(settings.tier()))
            .setDestinationRequestConditions(conditions);
    BlockBlobClient blob = connection.blob(version.name());
    upload.settle(
        tried,
        version.name(),
        nonce,
        AzureUpload.isCreating(conditions),
        () -> blob.copyFromUrlWithResponse(options, null, Context.NONE));
  }

  private BlobRequestConditions onTopOf(String tried, ObjectName name) throws IOException {
    try {
      BlobProperties current =
          requests.send(tried, "read blobs", connection.blob(name)::getProperties);
      return new BlobRequestConditions().setIfMatch(current.getETag());
    } catch (BackupException.Sink e) {
      if (e.reason() != Reason.NOT_FOUND) {
        throw e;
      }
      return new BlobRequestConditions().setIfNoneMatch("*");
    }
  }
}
