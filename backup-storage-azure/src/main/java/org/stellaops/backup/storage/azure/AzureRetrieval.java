package org.stellaops.backup.storage.azure;

import com.azure.core.http.rest.PagedResponse;
import com.azure.core.util.Context;
import com.azure.storage.blob.models.AccessTier;
import com.azure.storage.blob.models.ArchiveStatus;
import com.azure.storage.blob.models.BlobItem;
import com.azure.storage.blob.models.BlobProperties;
import com.azure.storage.blob.models.ListBlobsOptions;
import com.azure.storage.blob.models.RehydratePriority;
import com.azure.storage.blob.options.BlobSetAccessTierOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.StoreAbility;

/**
 * Brings blobs back from the archive tier. Azure knows no end of it: the blob moves to the hot tier
 * and stays there until somebody moves it back, however long it was asked for.
 */
final class AzureRetrieval implements StoreAbility.Retrieval {
  private final AzureSettings settings;
  private final AzureConnection connection;
  private final AzureRequests requests;

  AzureRetrieval(AzureSettings settings, AzureConnection connection, AzureRequests requests) {
    this.settings = settings;
    this.connection = connection;
    this.requests = requests;
  }

  @Override
  public State stateOf(ObjectName name) throws IOException {
    BlobProperties found =
        requests.send("stat " + name, "read blobs", connection.blob(name)::getProperties);
    return state(found.getAccessTier(), found.getArchiveStatus());
  }

  private static State state(@Nullable AccessTier tier, @Nullable ArchiveStatus status) {
    if (!AccessTier.ARCHIVE.equals(tier)) {
      return State.READABLE;
    }
    return status == null ? State.COLD : State.UNDER_WAY;
  }

  @Override
  public void states(String prefix, Each each) throws IOException {
    var options = new ListBlobsOptions().setPrefix(settings.cloud().prefix() + prefix);
    String marker = null;
    do {
      PagedResponse<BlobItem> page = page(prefix, options, marker);
      for (BlobItem blob : page.getValue()) {
        Optional<ObjectName> name = settings.name(blob.getName());
        if (name.isPresent()) {
          each.take(
              name.get(),
              state(blob.getProperties().getAccessTier(), blob.getProperties().getArchiveStatus()));
        }
      }
      marker = page.getContinuationToken();
    } while (marker != null && !marker.isEmpty());
  }

  private PagedResponse<BlobItem> page(
      String prefix, ListBlobsOptions options, @Nullable String marker) throws IOException {
    return requests.send(
        "list " + prefix,
        "list blobs",
        () ->
            connection
                .container()
                .listBlobs(options, marker, null)
                .iterableByPage()
                .iterator()
                .next());
  }

  @Override
  public void request(ObjectName name, Duration readable) throws IOException {
    if (stateOf(name) != State.COLD) {
      return;
    }
    var options =
        new BlobSetAccessTierOptions(AccessTier.HOT).setPriority(RehydratePriority.STANDARD);
    requests.send(
        "retrieve " + name,
        "write blobs",
        () -> connection.blob(name).setAccessTierWithResponse(options, null, Context.NONE));
  }
}
