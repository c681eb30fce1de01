package org.stellaops.backup.storage.gcs;

import com.google.cloud.WriteChannel;
import com.google.cloud.storage.Blob;
import com.google.cloud.storage.BlobInfo;
import com.google.cloud.storage.Storage.BlobTargetOption;
import com.google.cloud.storage.Storage.BlobWriteOption;
import com.google.cloud.storage.StorageClass;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.stellaops.backup.internal.cloud.CheckedBody;
import org.stellaops.backup.internal.cloud.Request;
import org.stellaops.backup.internal.cloud.Settlement;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;

/**
 * One object on its way into a bucket, whole or not at all.
 *
 * <p>A body is read before anything is sent: length and digest must be those that it says, and
 * Google is told the CRC-32C, without which it does not let the object appear. What fits into a
 * part is one request. What does not is a resumable upload, which becomes an object by its last
 * request; that one is made by closing the SDK's channel, so a channel is closed only when all was
 * written, and otherwise the upload is given up. Either says what must hold of the object's
 * generation, and carries a nonce in the object's metadata: when a reply is lost, or says that the
 * object exists, the object is asked whose it is.
 */
final class GcsUpload {
  static final String NONCE = "stella-nonce";
  static final String DIGEST = "stella-sha256";

  /** An object without one gets what Google guesses from its name. */
  static final String CONTENT_TYPE = "application/octet-stream";

  private static final int BUFFER_BYTES = 1 << 16;

  private final GcsSettings settings;
  private final GcsConnection connection;
  private final GcsRequests requests;

  GcsUpload(GcsSettings settings, GcsConnection connection, GcsRequests requests) {
    this.settings = settings;
    this.connection = connection;
    this.requests = requests;
  }

  /** Puts under a name that is free. */
  void create(ObjectName name, ObjectBody body) throws IOException {
    // Generation 0 means that there is none.
    send("put " + name, name, 0, body);
  }

  /** Puts in place of exactly that generation. */
  void replace(ObjectName name, long generation, ObjectBody body) throws IOException {
    send("mend " + name, name, generation, body);
  }

  private void send(String tried, ObjectName name, long generation, ObjectBody body)
      throws IOException {
    String nonce = UUID.randomUUID().toString();
    boolean isSmall = body.lengthBytes() <= settings.cloud().partBytes();
    var checked = new CheckedBody(requests.failures(), tried, body);
    byte[] whole = isSmall ? checked.whole() : new byte[0];
    BlobInfo info =
        info(name, Map.of(NONCE, nonce, DIGEST, body.digest().hex()))
            .setCrc32c(isSmall ? crc32c(whole) : crc32c(body, checked))
            .build();
    Request<?> request =
        isSmall
            ? () -> createWhole(tried, info, whole, generation)
            : () -> requests.again(() -> createInParts(tried, info, generation, body, checked));
    settle(tried, name, nonce, generation == 0, request);
  }

  private Blob createWhole(String tried, BlobInfo info, byte[] whole, long generation)
      throws IOException {
    BlobTargetOption condition = target(generation);
    return requests.send(
        tried,
        GcsRequests.CREATE,
        () ->
            connection
                .storage()
                .create(info, whole, condition, BlobTargetOption.disableGzipContent()));
  }

  /** From the beginning when tried again: an upload that broke off is given up. */
  private WriteChannel createInParts(
      String tried, BlobInfo info, long generation, ObjectBody body, CheckedBody checked)
      throws IOException {
    UploadSessions uploads = connection.uploads();
    try {
      WriteChannel channel = sendParts(tried, info, generation, body, checked);
      return requests.once(
          tried,
          GcsRequests.CREATE,
          () -> {
            channel.close();
            return channel;
          });
    } catch (IOException | RuntimeException e) {
      uploads.giveUp();
      if (uploads.isUnderWay() && GcsFailures.isGone(e)) {
        throw requests
            .failures()
            .of(
                CoreFailure.SINK_FAILED,
                Reason.TRANSIENT,
                tried,
                "Google knows nothing of the unfinished upload any more",
                e);
      }
      throw e;
    } finally {
      uploads.forget();
    }
  }

  private static BlobTargetOption target(long generation) {
    return generation == 0
        ? BlobTargetOption.doesNotExist()
        : BlobTargetOption.generationMatch(generation);
  }

  /** The form in which objects are stored here. */
  BlobInfo.Builder info(ObjectName name, Map<String, String> metadata) {
    var info =
        BlobInfo.newBuilder(connection.id(name)).setContentType(CONTENT_TYPE).setMetadata(metadata);
    GcsSink.StorageClass given = settings.storageClass();
    if (given != null) {
      info.setStorageClass(StorageClass.valueOf(given.name()));
    }
    return info;
  }

  /** Everything but the request that makes the object. */
  private WriteChannel sendParts(
      String tried, BlobInfo info, long generation, ObjectBody body, CheckedBody checked)
      throws IOException {
    BlobWriteOption condition =
        generation == 0
            ? BlobWriteOption.doesNotExist()
            : BlobWriteOption.generationMatch(generation);
    MessageDigest digest = Digest.sha256();
    long length = 0;
    try (InputStream in = body.open()) {
      WriteChannel channel =
          requests.once(
              tried,
              GcsRequests.CREATE,
              () ->
                  connection
                      .storage()
                      .writer(
                          info,
                          condition,
                          BlobWriteOption.crc32cMatch(),
                          BlobWriteOption.disableGzipContent()));
      channel.setChunkSize(settings.cloud().partBytes());
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        ByteBuffer piece = ByteBuffer.wrap(buffer, 0, n);
        requests.once(tried, GcsRequests.CREATE, () -> writeAll(channel, piece));
        digest.update(buffer, 0, n);
        length += n;
      }
      // It was what it says a moment ago; the second reading may still fail to be.
      checked.require(length, Digest.of(digest.digest()));
      return channel;
    }
  }

  private static WriteChannel writeAll(WriteChannel channel, ByteBuffer piece) throws IOException {
    while (piece.hasRemaining()) {
      channel.write(piece);
    }
    return channel;
  }

  private static String crc32c(byte[] bytes) {
    var crc = new CRC32C();
    crc.update(bytes);
    return inGooglesForm(crc);
  }

  private static String crc32c(ObjectBody body, CheckedBody checked) throws IOException {
    var crc = new CRC32C();
    MessageDigest digest = Digest.sha256();
    long length = 0;
    try (InputStream in = body.open()) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = in.read(buffer); n >= 0 && length <= body.lengthBytes(); n = in.read(buffer)) {
        crc.update(buffer, 0, n);
        digest.update(buffer, 0, n);
        length += n;
      }
    }
    checked.require(length, Digest.of(digest.digest()));
    return inGooglesForm(crc);
  }

  /** Base64 of four bytes, the highest first. */
  private static String inGooglesForm(CRC32C crc) {
    byte[] bytes = ByteBuffer.allocate(Integer.BYTES).putInt((int) crc.getValue()).array();
    return Base64.getEncoder().encodeToString(bytes);
  }

  /**
   * Makes the request that makes the object, and finds out what became of it where that is open.
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
            request,
            () -> requests.find(tried, name).map(found -> metadata(found).getOrDefault(NONCE, "")));
  }

  static Map<String, String> metadata(Blob blob) {
    return Optional.ofNullable(blob.getMetadata()).orElse(Map.of());
  }
}
