package org.stellaops.backup.storage.azure;

import com.azure.core.http.rest.PagedResponse;
import com.azure.core.util.Context;
import com.azure.storage.blob.models.BlobItem;
import com.azure.storage.blob.models.BlobProperties;
import com.azure.storage.blob.models.DeleteSnapshotsOptionType;
import com.azure.storage.blob.models.ListBlobsOptions;
import com.azure.storage.blob.specialized.BlockBlobClient;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;

/**
 * The open store of an {@link AzureSink}.
 *
 * <p>Invariant: what has an object's name is the whole object. A blob appears by one request,
 * either with all its bytes or with the list of blocks that Azure acknowledged before.
 */
final class AzureStore implements ObjectStore {
  private static final Logger LOG = LoggerFactory.getLogger(AzureStore.class);

  /** Azure's own limit. */
  private static final long MAX_BLOCKS = 50_000;

  private final AzureSettings settings;
  private final AzureConnection connection;
  private final AzureRequests requests;
  private final AzureUpload upload;
  private final StoreContext context;

  private volatile boolean isClosed;

  AzureStore(AzureConnection connection, AzureSettings settings, StoreContext context) {
    this.settings = settings;
    this.connection = connection;
    this.context = context;
    this.requests = new AzureRequests(settings, context.stopping());
    this.upload = new AzureUpload(settings, connection, requests, context.clock());
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    requireOpen();
    if (body.lengthBytes() > traits().maxObjectBytes()) {
      throw requests
          .failures()
          .refused(
              "put " + name,
              "%d bytes, and at most %d in parts of %d"
                  .formatted(
                      body.lengthBytes(), traits().maxObjectBytes(), settings.cloud().partBytes()));
    }
    upload.create(name, body);
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    requireOpen();
    BlockBlobClient blob = connection.blob(name);
    DeleteSnapshotsOptionType withoutSnapshots = null;
    try {
      requests.send(
          "delete " + name,
          "delete blobs",
          () -> blob.deleteWithResponse(withoutSnapshots, null, null, Context.NONE));
    } catch (BackupException.Sink e) {
      if (e.reason() != Reason.NOT_FOUND) {
        throw e;
      }
    }
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    requireOpen();
    BlockBlobClient blob = connection.blob(name);
    return BlobInput.open("open " + name, blob, requests, settings.cloud().partBytes(), range);
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) throws IOException {
    requireOpen();
    var options = new ListBlobsOptions().setPrefix(settings.cloud().prefix() + prefix);
    String marker = from.equals(PageToken.START) ? null : from.value();
    return requests.send(
        "list " + prefix,
        "list blobs",
        () -> {
          Iterator<PagedResponse<BlobItem>> pages =
              connection.container().listBlobs(options, marker, null).iterableByPage().iterator();
          return pages.hasNext() ? page(pages.next()) : new ObjectPage(List.of(), PageToken.END);
        });
  }

  private ObjectPage page(PagedResponse<BlobItem> found) {
    List<StoredObject> objects = new ArrayList<>();
    for (BlobItem blob : found.getValue()) {
      name(blob)
          .map(
              name ->
                  new StoredObject(
                      name,
                      blob.getProperties().getContentLength(),
                      String.valueOf(blob.getProperties().getETag())))
          .ifPresent(objects::add);
    }
    String next = found.getContinuationToken();
    return new ObjectPage(
        objects, next == null || next.isEmpty() ? PageToken.END : new PageToken(next));
  }

  /** Empty where others keep something in the container that no object can be called. */
  private Optional<ObjectName> name(BlobItem blob) {
    Optional<ObjectName> name = settings.name(blob.getName());
    if (name.isEmpty()) {
      LOG.debug("blob {} of {} is no object", blob.getName(), settings.describe());
    }
    return name;
  }

  @Override
  public StoreTraits traits() {
    return new StoreTraits(
        true, true, MAX_BLOCKS * settings.cloud().partBytes(), settings.cloud().labels());
  }

  @Override
  public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
    StoreAbility.Times times = this::storedAt;
    StoreAbility.Strays strays = new AzureStrays(settings, connection, requests);
    StoreAbility.Mending mending = new AzureMending(this, connection, requests, upload);
    StoreAbility.ServerCopy copy = new AzureCopy(connection, requests, upload, settings, context);
    StoreAbility.History history =
        new AzureHistory(settings, connection, requests, upload, context);
    StoreAbility.Retrieval retrieval = new AzureRetrieval(settings, connection, requests);
    StoreAbility.Exposure exposure = new AzureExposure(settings, connection, requests);
    Stream<StoreAbility> locking =
        Optional.ofNullable(settings.immutability())
            .<StoreAbility>map(mode -> new AzureLocking(mode, connection, requests))
            .stream();
    return Stream.concat(
            Stream.of(
                times,
                strays,
                mending,
                history,
                copy,
                new AzureOrigin(connection),
                retrieval,
                exposure),
            locking)
        .filter(type::isInstance)
        .<A>map(type::cast)
        .findFirst();
  }

  private Optional<Instant> storedAt(ObjectName name) throws IOException {
    requireOpen();
    try {
      BlobProperties found =
          requests.send("stat " + name, "read blobs", connection.blob(name)::getProperties);
      return Optional.of(found.getLastModified().toInstant());
    } catch (BackupException.Sink e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** How many requests may be under way. */
  int limit() {
    return requests.gate().limit();
  }

  /** The client has nothing to close: its connections end when they were idle for a while. */
  @Override
  public void close() {
    isClosed = true;
  }

  private void requireOpen() {
    if (isClosed) {
      throw new IllegalStateException("the store in " + settings.describe() + " is closed");
    }
  }
}
