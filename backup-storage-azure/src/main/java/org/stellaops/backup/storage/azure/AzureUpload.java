package org.stellaops.backup.storage.azure;

import com.azure.core.util.BinaryData;
import com.azure.core.util.Context;
import com.azure.storage.blob.models.AccessTier;
import com.azure.storage.blob.models.BlobProperties;
import com.azure.storage.blob.models.BlobRequestConditions;
import com.azure.storage.blob.options.BlockBlobCommitBlockListOptions;
import com.azure.storage.blob.options.BlockBlobSimpleUploadOptions;
import com.azure.storage.blob.options.BlockBlobStageBlockOptions;
import com.azure.storage.blob.specialized.BlockBlobClient;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.cloud.CheckedBody;
import org.stellaops.backup.internal.cloud.Request;
import org.stellaops.backup.internal.cloud.Settlement;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;

/**
 * One object on its way into a container, whole or not at all.
 *
 * <p>What fits into a part is one request. What does not is staged in blocks, which nobody sees,
 * and becomes a blob by one last request, made only when length and digest of all that was sent are
 * those of the body. Either request says what must hold of the blob, and carries a nonce in the
 * blob's metadata: when its reply is lost, or says that the blob exists, the blob is asked whose it
 * is.
 */
final class AzureUpload {
  /** Names in metadata are C# identifiers. */
  static final String NONCE = "stella_nonce";

  static final String DIGEST = "stella_sha256";

  private static final String RIGHT = "create blobs";

  private final AzureSettings settings;
  private final AzureConnection connection;
  private final AzureRequests requests;
  private final InstantSource clock;

  AzureUpload(
      AzureSettings settings,
      AzureConnection connection,
      AzureRequests requests,
      InstantSource clock) {
    this.clock = clock;
    this.settings = settings;
    this.connection = connection;
    this.requests = requests;
  }

  /** Puts under a name that is free. */
  void create(ObjectName name, ObjectBody body) throws IOException {
    send("put " + name, name, body, new BlobRequestConditions().setIfNoneMatch("*"));
  }

  /** Puts in place of exactly that version. */
  void replace(ObjectName name, String version, ObjectBody body) throws IOException {
    send("mend " + name, name, body, new BlobRequestConditions().setIfMatch(version));
  }

  private void send(
      String tried, ObjectName name, ObjectBody body, BlobRequestConditions conditions)
      throws IOException {
    String nonce = UUID.randomUUID().toString();
    Map<String, String> metadata = metadata(nonce, body.digest());
    BlockBlobClient blob = connection.blob(name);
    AccessTier tier = tier(settings.tier());
    var checked = new CheckedBody(requests.failures(), tried, body);
    if (body.lengthBytes() <= settings.cloud().partBytes()) {
      byte[] whole = checked.whole();
      var options =
          new BlockBlobSimpleUploadOptions(BinaryData.fromBytes(whole))
              .setContentMd5(md5(whole))
              .setMetadata(metadata)
              .setTier(tier)
              .setRequestConditions(conditions);
      settle(
          tried,
          name,
          nonce,
          isCreating(conditions),
          () -> blob.uploadWithResponse(options, null, Context.NONE));
    } else {
      var options =
          new BlockBlobCommitBlockListOptions(stage(tried, blob, nonce, body, checked))
              .setMetadata(metadata)
              .setTier(tier)
              .setRequestConditions(conditions);
      settle(
          tried,
          name,
          nonce,
          isCreating(conditions),
          () -> blob.commitBlockListWithResponse(options, null, Context.NONE));
    }
  }

  static Map<String, String> metadata(String nonce, Digest digest) {
    return Map.of(NONCE, nonce, DIGEST, digest.hex());
  }

  static @Nullable AccessTier tier(AzureSink.@Nullable Tier tier) {
    if (tier == null) {
      return null;
    }
    return switch (tier) {
      case HOT -> AccessTier.HOT;
      case COOL -> AccessTier.COOL;
      case COLD -> AccessTier.COLD;
      case ARCHIVE -> AccessTier.ARCHIVE;
    };
  }

  private List<String> stage(
      String tried, BlockBlobClient blob, String nonce, ObjectBody body, CheckedBody checked)
      throws IOException {
    MessageDigest digest = Digest.sha256();
    List<String> blocks = new ArrayList<>();
    long length = 0;
    try (InputStream in = body.open()) {
      byte[] part = in.readNBytes(settings.cloud().partBytes());
      while (part.length > 0 && length <= body.lengthBytes()) {
        digest.update(part);
        length += part.length;
        String block = BlockName.of(clock.instant(), nonce, blocks.size());
        blocks.add(block);
        var options =
            new BlockBlobStageBlockOptions(block, BinaryData.fromBytes(part))
                .setContentMd5(md5(part));
        requests.send(tried, RIGHT, () -> blob.stageBlockWithResponse(options, null, Context.NONE));
        part = in.readNBytes(settings.cloud().partBytes());
      }
      checked.require(length + part.length, Digest.of(digest.digest()));
    }
    return blocks;
  }

  /**
   * Makes the request that makes the blob, and finds out what became of it where that is open.
   *
   * @param isCreating the name must be free
   */
  void settle(String tried, ObjectName name, String nonce, boolean isCreating, Request<?> request)
      throws IOException {
    new Settlement(requests.failures())
        .settle(
            tried,
            nonce,
            isCreating,
            () -> requests.send(tried, RIGHT, request),
            () -> owner(tried, name));
  }

  /** Whether a request is for a name that must be free. */
  static boolean isCreating(BlobRequestConditions conditions) {
    return conditions.getIfNoneMatch() != null;
  }

  /** The nonce of whoever put the object, if there is one. */
  private Optional<String> owner(String tried, ObjectName name) throws IOException {
    try {
      BlobProperties found =
          requests.send(tried, "read blobs", () -> connection.blob(name).getProperties());
      return Optional.of(found.getMetadata().getOrDefault(NONCE, ""));
    } catch (BackupException.Sink e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static byte[] md5(byte[] bytes) {
    try {
      return MessageDigest.getInstance("MD5").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has MD5", e);
    }
  }

  /** Whether this class put the blob, with these bytes. */
  static boolean isOf(BlobProperties blob, Digest digest) {
    return digest.hex().equals(blob.getMetadata().get(DIGEST));
  }
}
