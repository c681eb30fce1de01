package org.stellaops.backup.storage.azure;

import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.core.http.HttpAuthorization;
import com.azure.storage.blob.BlobContainerClientBuilder;
import com.azure.storage.blob.options.BlobCopyFromUrlOptions;
import com.azure.storage.blob.sas.BlobSasPermission;
import com.azure.storage.blob.sas.BlobServiceSasSignatureValues;
import com.azure.storage.blob.specialized.BlockBlobClient;
import com.azure.storage.common.StorageSharedKeyCredential;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;

/** Who asks. */
sealed interface AzureCredential {
  /** Signs what the client sends; returns what of it belongs into the address of a source. */
  String apply(BlobContainerClientBuilder client, AzureSettings settings) throws BackupException;

  /** Says how Azure itself may read a blob that it is to copy. */
  BlobCopyFromUrlOptions source(BlockBlobClient blob, String signature, Instant now);

  /** A key of the account. */
  record SharedKey(Optional<String> account, Supplier<Secret> key) implements AzureCredential {
    private static final Duration COPYING = Duration.ofHours(1);

    @Override
    public String apply(BlobContainerClientBuilder client, AzureSettings settings)
        throws BackupException {
      String name = account.orElseGet(settings::account);
      String text = text(key);
      try {
        Base64.getDecoder().decode(text);
      } catch (IllegalArgumentException e) {
        // Without the cause, which may quote the key.
        throw new BackupException.Sink(
            CoreFailure.CREDENTIALS_REFUSED,
            Reason.DENIED,
            "open %s: the key of account %s is not Base64".formatted(settings.describe(), name));
      }
      client.credential(new StorageSharedKeyCredential(name, text));
      return "";
    }

    @Override
    public BlobCopyFromUrlOptions source(BlockBlobClient blob, String signature, Instant now) {
      OffsetDateTime end = now.plus(COPYING).atOffset(ZoneOffset.UTC);
      var read = new BlobSasPermission().setReadPermission(true);
      String sas = blob.generateSas(new BlobServiceSasSignatureValues(end, read));
      return new BlobCopyFromUrlOptions(with(blob, sas));
    }
  }

  /** A shared access signature. */
  record Sas(Supplier<Secret> token) implements AzureCredential {
    /** Names and values, escaped as in an address. */
    private static final Pattern QUERY =
        Pattern.compile("(?:[A-Za-z0-9._~!$&()*+,;=:@/-]|%[0-9A-Fa-f]{2})+");

    @Override
    public String apply(BlobContainerClientBuilder client, AzureSettings settings)
        throws BackupException {
      String sas = text(token).replaceFirst("^\\?", "");
      if (!sas.contains("sig=")) {
        throw refused(settings, "has no sig=");
      }
      // Of an address that it makes impossible, the SDK's failure would quote all.
      if (!QUERY.matcher(sas).matches()) {
        throw refused(
            settings,
            "has characters that none has, such as a quote, a blank or the end of a line;"
                + " hint: give what follows the question mark, and nothing else");
      }
      client.sasToken(sas);
      return sas;
    }

    private static BackupException.Sink refused(AzureSettings settings, String why) {
      return new BackupException.Sink(
          CoreFailure.CREDENTIALS_REFUSED,
          Reason.DENIED,
          "open %s: the shared access signature %s".formatted(settings.describe(), why));
    }

    @Override
    public BlobCopyFromUrlOptions source(BlockBlobClient blob, String signature, Instant now) {
      return new BlobCopyFromUrlOptions(with(blob, signature));
    }
  }

  /** Tokens of Microsoft Entra ID. */
  record Token(TokenCredential credential) implements AzureCredential {
    private static final String SCOPE = "https://storage.azure.com/.default";

    @Override
    public String apply(BlobContainerClientBuilder client, AzureSettings settings) {
      client.credential(credential);
      return "";
    }

    @Override
    public BlobCopyFromUrlOptions source(BlockBlobClient blob, String signature, Instant now) {
      String token = credential.getTokenSync(new TokenRequestContext().addScopes(SCOPE)).getToken();
      return new BlobCopyFromUrlOptions(blob.getBlobUrl())
          .setSourceAuthorization(new HttpAuthorization("Bearer", token));
    }
  }

  /** The address of a version has a query already. */
  private static String with(BlockBlobClient blob, String signature) {
    String address = blob.getBlobUrl();
    return address + (address.contains("?") ? "&" : "?") + signature;
  }

  /** The SDK takes strings only, so this one stays in memory until the store is closed. */
  private static String text(Supplier<Secret> secret) {
    try (Secret given = secret.get()) {
      return given.use(String::new).strip();
    }
  }
}
