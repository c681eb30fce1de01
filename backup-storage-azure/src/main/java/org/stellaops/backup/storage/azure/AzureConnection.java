package org.stellaops.backup.storage.azure;

import com.azure.core.util.Configuration;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.BlobContainerClientBuilder;
import com.azure.storage.blob.options.BlobCopyFromUrlOptions;
import com.azure.storage.blob.specialized.BlockBlobClient;
import com.azure.storage.common.policy.RequestRetryOptions;
import com.azure.storage.common.policy.RetryPolicyType;
import java.time.Instant;
import java.util.Objects;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.KeptVersion;

/** A client of one container. */
final class AzureConnection {
  /** Of an answer that is no part of a blob: 5000 rows with names of 1024 bytes, escaped. */
  private static final long MAX_ANSWER_BYTES = 32 << 20;

  private final AzureSettings settings;
  private final AzureCredential credential;
  private final BlobContainerClient container;
  private final String signature;

  private AzureConnection(
      AzureSettings settings,
      AzureCredential credential,
      BlobContainerClient container,
      String signature) {
    this.settings = settings;
    this.credential = credential;
    this.container = container;
    this.signature = signature;
  }

  /** Asks nothing. */
  static AzureConnection open(AzureSettings settings) throws BackupException {
    AzureCredential credential = settings.credential();
    if (credential == null) {
      throw new IllegalStateException(
          "say who asks for %s: sharedKey, sas or token".formatted(settings.describe()));
    }
    var builder =
        new BlobContainerClientBuilder()
            .endpoint(settings.service() + "/" + settings.container())
            .containerName(settings.container())
            .configuration(Configuration.NONE)
            .retryOptions(oneAttempt())
            .httpClient(http(settings));
    String signature = credential.apply(builder, settings);
    return new AzureConnection(settings, credential, builder.buildClient(), signature);
  }

  /** The SDK's attempts and ours would multiply; ours know when a put is ours. */
  private static RequestRetryOptions oneAttempt() {
    return new RequestRetryOptions(RetryPolicyType.FIXED, 1, (Integer) null, null, null, null);
  }

  private static JdkTransport http(AzureSettings settings) {
    return new JdkTransport(
        settings.cloud().timeout(), settings.cloud().partBytes() + MAX_ANSWER_BYTES);
  }

  BlobContainerClient container() {
    return container;
  }

  BlockBlobClient blob(ObjectName name) {
    return container.getBlobClient(settings.key(name)).getBlockBlobClient();
  }

  /** How a container of the same service may read one of these blobs. */
  BlobCopyFromUrlOptions source(ObjectName name, Instant now) {
    return source(blob(name), now);
  }

  /** The same of one version. */
  BlobCopyFromUrlOptions source(BlockBlobClient blob, Instant now) {
    return credential.source(blob, signature, now);
  }

  BlockBlobClient version(KeptVersion version) {
    return container
        .getBlobVersionClient(settings.key(version.name()), version.id())
        .getBlockBlobClient();
  }

  boolean isOfSameServiceAs(AzureConnection other) {
    return Objects.equals(settings.service(), other.settings.service());
  }
}
