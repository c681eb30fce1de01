package org.stellaops.backup.storage.gcs;

import com.google.api.gax.paging.Page;
import com.google.cloud.storage.Blob;
import com.google.cloud.storage.BlobInfo;
import com.google.cloud.storage.Storage.BlobField;
import com.google.cloud.storage.Storage.BlobListOption;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
 * The open store of a {@link GcsSink}.
 *
 * <p>Invariant: what has an object's name is the whole object. It appears by one request, when all
 * its bytes have arrived and have the checksum that was announced.
 */
final class GcsStore implements ObjectStore {
  private static final Logger LOG = LoggerFactory.getLogger(GcsStore.class);

  /** Google's own limit: 5 TiB. */
  private static final long MAX_OBJECT_BYTES = 5L << 40;

  private static final int PAGE_OBJECTS = 1000;

  private final GcsSettings settings;
  private final GcsConnection connection;
  private final GcsRequests requests;
  private final GcsUpload upload;

  private volatile boolean isClosed;

  GcsStore(GcsConnection connection, GcsSettings settings, StoreContext context) {
    this.settings = settings;
    this.connection = connection;
    this.requests = new GcsRequests(settings, connection, context.stopping());
    this.upload = new GcsUpload(settings, connection, requests);
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    requireOpen();
    if (body.lengthBytes() > MAX_OBJECT_BYTES) {
      throw requests
          .failures()
          .refused(
              "put " + name,
              "%d bytes, and at most %d".formatted(body.lengthBytes(), MAX_OBJECT_BYTES));
    }
    upload.create(name, body);
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    requireOpen();
    String tried = "delete " + name;
    boolean wasThere =
        requests.send(
            tried,
            "storage.objects.delete",
            () -> connection.storage().delete(connection.id(name)));
    if (!wasThere) {
      // The SDK answers a missing bucket as a missing object.
      requests.requireBucket(tried);
    }
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    requireOpen();
    return GcsInput.open(name, range, connection, requests);
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) throws IOException {
    requireOpen();
    List<BlobListOption> options = new ArrayList<>();
    options.add(BlobListOption.prefix(settings.cloud().prefix() + prefix));
    options.add(BlobListOption.pageSize(PAGE_OBJECTS));
    options.add(BlobListOption.fields(BlobField.NAME, BlobField.SIZE, BlobField.GENERATION));
    if (!from.equals(PageToken.START)) {
      options.add(BlobListOption.pageToken(from.value()));
    }
    Page<Blob> found =
        requests.send(
            "list " + prefix,
            GcsRequests.LIST,
            () ->
                connection
                    .storage()
                    .list(settings.bucket(), options.toArray(BlobListOption[]::new)));
    String next = found.getNextPageToken();
    return new ObjectPage(
        rows(found), next == null || next.isEmpty() ? PageToken.END : new PageToken(next));
  }

  private List<StoredObject> rows(Page<Blob> found) {
    List<StoredObject> rows = new ArrayList<>();
    for (Blob blob : found.getValues()) {
      name(blob)
          .map(name -> new StoredObject(name, blob.getSize(), String.valueOf(blob.getGeneration())))
          .ifPresent(rows::add);
    }
    return rows;
  }

  /** Empty where others keep something in the bucket that no object can be called. */
  private Optional<ObjectName> name(BlobInfo blob) {
    Optional<ObjectName> name = settings.name(blob.getName());
    if (name.isEmpty()) {
      LOG.debug("{} in {} is no object", blob.getName(), settings.describe());
    }
    return name;
  }

  @Override
  public StoreTraits traits() {
    return new StoreTraits(true, true, MAX_OBJECT_BYTES, settings.cloud().labels());
  }

  @Override
  public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
    StoreAbility.Times times = this::storedAt;
    StoreAbility.Mending mending = new GcsMending(this, requests, upload);
    StoreAbility.History history = new GcsHistory(settings, connection, requests, upload);
    StoreAbility.ServerCopy copy = new GcsCopy(connection, requests, upload);
    StoreAbility.Exposure exposure = new GcsExposure(settings, connection, requests);
    Stream<StoreAbility> locking =
        Optional.ofNullable(settings.retention())
            .<StoreAbility>map(mode -> new GcsLocking(mode, connection, requests))
            .stream();
    return Stream.concat(
            Stream.of(times, mending, history, copy, new GcsOrigin(connection, requests), exposure),
            locking)
        .filter(type::isInstance)
        .<A>map(type::cast)
        .findFirst();
  }

  private Optional<Instant> storedAt(ObjectName name) throws IOException {
    requireOpen();
    return requests
        .find("stat " + name, name)
        .map(BlobInfo::getCreateTimeOffsetDateTime)
        .map(OffsetDateTime::toInstant);
  }

  /** How many requests may be under way. */
  int limit() {
    return requests.gate().limit();
  }

  @Override
  public void close() throws IOException {
    if (!isClosed) {
      isClosed = true;
      connection.close();
    }
  }

  private void requireOpen() {
    if (isClosed) {
      throw new IllegalStateException("the store in " + settings.describe() + " is closed");
    }
  }
}
