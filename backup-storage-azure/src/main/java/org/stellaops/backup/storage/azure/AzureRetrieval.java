package org.stellaops.backup.storage.azure;

import com.azure.core.util.Context;
import com.azure.storage.blob.models.AccessTier;
import com.azure.storage.blob.models.BlobProperties;
import com.azure.storage.blob.models.RehydratePriority;
import com.azure.storage.blob.options.BlobSetAccessTierOptions;
import java.io.IOException;
import java.time.Duration;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.StoreAbility;

/**
 * Brings blobs back from the archive tier. Azure knows no end of it: the blob moves to the hot tier
 * and stays there until somebody moves it back, however long it was asked for.
 */
final class AzureRetrieval implements StoreAbility.Retrieval {
  private final AzureConnection connection;
  private final AzureRequests requests;

  AzureRetrieval(AzureConnection connection, AzureRequests requests) {
    this.connection = connection;
    this.requests = requests;
  }

  @Override
  public State stateOf(ObjectName name) throws IOException {
    BlobProperties found =
        requests.send("stat " + name, "read blobs", connection.blob(name)::getProperties);
    if (!AccessTier.ARCHIVE.equals(found.getAccessTier())) {
      return State.READABLE;
    }
    return found.getArchiveStatus() == null ? State.COLD : State.UNDER_WAY;
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
