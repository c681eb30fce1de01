package org.stellaops.backup.storage.gcs;

import com.google.api.gax.paging.Page;
import com.google.cloud.storage.Blob;
import com.google.cloud.storage.BlobId;
import com.google.cloud.storage.BlobInfo;
import com.google.cloud.storage.Storage.BlobField;
import com.google.cloud.storage.Storage.BlobListOption;
import com.google.cloud.storage.Storage.BlobTargetOption;
import com.google.cloud.storage.Storage.CopyRequest;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.StoreAbility;

/**
 * The generations of objects that are not the live one, in buckets with versioning. What is brought
 * back is copied on top, within the bucket.
 */
final class GcsHistory implements StoreAbility.History {
  private static final int PAGE_OBJECTS = 1000;

  private final GcsSettings settings;
  private final GcsConnection connection;
  private final GcsRequests requests;
  private final GcsUpload upload;

  GcsHistory(
      GcsSettings settings, GcsConnection connection, GcsRequests requests, GcsUpload upload) {
    this.settings = settings;
    this.connection = connection;
    this.requests = requests;
    this.upload = upload;
  }

  @Override
  public void kept(String prefix, Each each) throws IOException {
    List<Blob> ofOne = new ArrayList<>();
    String token = "";
    do {
      Page<Blob> page = page(prefix, token);
      for (Blob blob : page.getValues()) {
        if (!ofOne.isEmpty() && !ofOne.get(0).getName().equals(blob.getName())) {
          tell(ofOne, each);
          ofOne.clear();
        }
        ofOne.add(blob);
      }
      token = Optional.ofNullable(page.getNextPageToken()).orElse("");
    } while (!token.isEmpty());
    tell(ofOne, each);
  }

  private Page<Blob> page(String prefix, String token) throws IOException {
    List<BlobListOption> options =
        new ArrayList<>(
            List.of(
                BlobListOption.versions(true),
                BlobListOption.prefix(settings.cloud().prefix() + prefix),
                BlobListOption.pageSize(PAGE_OBJECTS),
                BlobListOption.fields(
                    BlobField.NAME,
                    BlobField.SIZE,
                    BlobField.GENERATION,
                    BlobField.TIME_CREATED,
                    BlobField.TIME_DELETED)));
    if (!token.isEmpty()) {
      options.add(BlobListOption.pageToken(token));
    }
    return requests.send(
        "versions of " + prefix,
        GcsRequests.LIST,
        () -> connection.storage().list(settings.bucket(), options.toArray(BlobListOption[]::new)));
  }

  /**
   * @param ofOne everything of one name
   */
  private void tell(List<Blob> ofOne, Each each) throws IOException {
    ofOne.sort(Comparator.comparing(Blob::getGeneration));
    boolean isReplaced = ofOne.stream().anyMatch(GcsHistory::isLive);
    for (int i = ofOne.size() - 1; i >= 0; i--) {
      Blob blob = ofOne.get(i);
      Optional<ObjectName> name = settings.name(blob.getName());
      if (name.isPresent() && !isLive(blob)) {
        each.take(
            new KeptVersion(
                name.get(),
                String.valueOf(blob.getGeneration()),
                blob.getSize(),
                instant(blob.getCreateTimeOffsetDateTime()).orElse(Instant.EPOCH),
                instant(blob.getDeleteTimeOffsetDateTime()),
                isReplaced));
      }
    }
  }

  private static boolean isLive(BlobInfo blob) {
    return blob.getDeleteTimeOffsetDateTime() == null;
  }

  private static Optional<Instant> instant(@Nullable OffsetDateTime time) {
    return Optional.ofNullable(time).map(OffsetDateTime::toInstant);
  }

  @Override
  public InputStream open(KeptVersion version, ByteRange range) throws IOException {
    return GcsInput.open(
        "open a version of " + version.name(),
        id(version),
        version.lengthBytes(),
        range,
        connection,
        requests);
  }

  @Override
  public void bringBack(KeptVersion version) throws IOException {
    String tried = "bring back " + version.name();
    Optional<Blob> live = requests.find(tried, version.name());
    Blob earlier =
        Optional.ofNullable(
                requests.send(tried, GcsRequests.READ, () -> connection.storage().get(id(version))))
            .orElseThrow(() -> requests.failures().notFound(tried));
    String nonce = UUID.randomUUID().toString();
    Map<String, String> metadata = new TreeMap<>(GcsUpload.metadata(earlier));
    metadata.put(GcsUpload.NONCE, nonce);
    BlobInfo target = upload.info(version.name(), metadata).build();
    BlobTargetOption condition =
        live.map(l -> BlobTargetOption.generationMatch(l.getGeneration()))
            .orElse(BlobTargetOption.doesNotExist());
    CopyRequest request =
        CopyRequest.newBuilder().setSource(id(version)).setTarget(target, condition).build();
    upload.settle(
        tried,
        version.name(),
        nonce,
        live.isEmpty(),
        () ->
            requests.send(
                tried, GcsRequests.CREATE, () -> connection.storage().copy(request).getResult()));
  }

  private BlobId id(KeptVersion version) {
    return BlobId.of(settings.bucket(), settings.key(version.name()), Long.parseLong(version.id()));
  }
}
