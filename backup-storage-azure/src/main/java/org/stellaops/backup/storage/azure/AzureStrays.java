package org.stellaops.backup.storage.azure;

import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.rest.PagedResponse;
import com.azure.core.util.Context;
import com.azure.storage.blob.models.BlobItem;
import com.azure.storage.blob.models.BlobListDetails;
import com.azure.storage.blob.models.BlobRequestConditions;
import com.azure.storage.blob.models.BlobType;
import com.azure.storage.blob.models.Block;
import com.azure.storage.blob.models.BlockList;
import com.azure.storage.blob.models.BlockListType;
import com.azure.storage.blob.models.ListBlobsOptions;
import com.azure.storage.blob.specialized.BlockBlobClient;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Iterator;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.spi.StoreAbility;

/**
 * Blocks that nobody will commit: the newest of a name was staged so long ago, by Azure's clock,
 * that no living process can still be at it. They are no blobs and cost as much; Azure removes them
 * a week after the last one.
 *
 * <p>A name that has only blocks is deleted like a blob. That it has no more than that is asked
 * before, and held to by the request: a blob that was made meanwhile was modified since. Blocks of
 * a put that began meanwhile may go with the old ones; it then finds them missing, and fails in a
 * way that may pass.
 */
final class AzureStrays implements StoreAbility.Strays {
  private static final String TRIED = "sweep unfinished uploads";

  /** Of 5000 names. Who has more leaves the rest to Azure, instead of listing for minutes. */
  private static final int MOST_PAGES = 20;

  private final AzureSettings settings;
  private final AzureConnection connection;
  private final AzureRequests requests;

  AzureStrays(AzureSettings settings, AzureConnection connection, AzureRequests requests) {
    this.settings = settings;
    this.connection = connection;
    this.requests = requests;
  }

  @Override
  public int sweep() throws IOException {
    int swept = 0;
    String marker = null;
    for (int number = 0; number < MOST_PAGES; number++) {
      Optional<PagedResponse<BlobItem>> page = page(marker);
      if (page.isEmpty()) {
        return swept;
      }
      Optional<Instant> latest = time(page.get()).map(now -> now.minus(settings.strayAge()));
      for (BlobItem found : page.get().getValue()) {
        if (latest.isPresent() && mayBeStray(found) && isSwept(found, latest.get())) {
          swept++;
        }
      }
      marker = page.get().getContinuationToken();
      if (marker == null || marker.isEmpty()) {
        return swept;
      }
    }
    return swept;
  }

  private Optional<PagedResponse<BlobItem>> page(@Nullable String marker) throws IOException {
    var options =
        new ListBlobsOptions()
            .setPrefix(settings.cloud().prefix())
            .setDetails(new BlobListDetails().setRetrieveUncommittedBlobs(true));
    return requests.send(
        TRIED,
        "list blobs",
        () -> {
          Iterator<PagedResponse<BlobItem>> pages =
              connection.container().listBlobs(options, marker, null).iterableByPage().iterator();
          return pages.hasNext() ? Optional.of(pages.next()) : Optional.empty();
        });
  }

  /** Azure's clock; without it nothing can be said to be old. */
  private static Optional<Instant> time(PagedResponse<BlobItem> page) {
    try {
      return Optional.ofNullable(page.getHeaders().getValue(HttpHeaderName.DATE))
          .map(date -> Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(date)));
    } catch (DateTimeException unreadable) {
      return Optional.empty();
    }
  }

  /** What has blocks only has no length; blobs that have none are few. */
  private static boolean mayBeStray(BlobItem found) {
    Long length = found.getProperties().getContentLength();
    BlobType type = found.getProperties().getBlobType();
    return (length == null || length == 0) && (type == null || type == BlobType.BLOCK_BLOB);
  }

  private boolean isSwept(BlobItem found, Instant latest) throws IOException {
    BlockBlobClient blob =
        connection.container().getBlobClient(found.getName()).getBlockBlobClient();
    var unlessMade =
        new BlobRequestConditions().setIfUnmodifiedSince(latest.atOffset(ZoneOffset.UTC));
    try {
      BlockList blocks =
          requests.send(TRIED, "read blobs", () -> blob.listBlocks(BlockListType.ALL));
      if (!isStray(blocks, latest)) {
        return false;
      }
      requests.send(
          TRIED,
          "delete blobs",
          () -> blob.deleteWithResponse(null, unlessMade, null, Context.NONE));
      return true;
    } catch (BackupException.Sink e) {
      if (e.reason() == Reason.TRANSIENT) {
        throw e;
      }
      // Swept or made meanwhile, or not ours to delete: Azure will.
      return false;
    }
  }

  private static boolean isStray(BlockList blocks, Instant latest) {
    return blocks.getCommittedBlocks().isEmpty()
        && !blocks.getUncommittedBlocks().isEmpty()
        && blocks.getUncommittedBlocks().stream()
            .map(Block::getName)
            .map(BlockName::staged)
            .allMatch(staged -> staged.isPresent() && !staged.get().isAfter(latest));
  }
}
