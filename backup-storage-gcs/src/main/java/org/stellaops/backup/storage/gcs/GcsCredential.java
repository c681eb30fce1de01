package org.stellaops.backup.storage.gcs;

import com.google.auth.Credentials;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.ServiceAccountCredentials;
import com.google.cloud.NoCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Supplier;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;

/** Who asks. */
sealed interface GcsCredential {
  /** In the SDK's form. */
  Credentials resolve(GcsSettings settings) throws BackupException;

  /** The key of a service account. */
  record ServiceAccount(Supplier<Secret> keyFile) implements GcsCredential {
    /** Of one char. */
    private static final int MAX_UTF8_BYTES = 3;

    @Override
    public Credentials resolve(GcsSettings settings) throws BackupException {
      byte[] json = bytes();
      try {
        return ServiceAccountCredentials.fromStream(new ByteArrayInputStream(json))
            .createScoped("https://www.googleapis.com/auth/devstorage.full_control");
      } catch (IOException | IllegalArgumentException e) {
        // Without the cause, which may quote the key.
        throw refused(settings, "this is no key file of a service account");
      } finally {
        Arrays.fill(json, (byte) 0);
      }
    }

    private byte[] bytes() {
      try (Secret given = keyFile.get()) {
        return given.use(
            characters -> {
              ByteBuffer utf8 = ByteBuffer.allocate(characters.length * MAX_UTF8_BYTES);
              StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(characters), utf8, true);
              byte[] bytes = Arrays.copyOf(utf8.array(), utf8.position());
              Arrays.fill(utf8.array(), (byte) 0);
              return bytes;
            });
      }
    }
  }

  /** Whatever the caller has. */
  record Given(Credentials credentials) implements GcsCredential {
    @Override
    public Credentials resolve(GcsSettings settings) {
      return credentials;
    }
  }

  /** Google's chain of defaults. */
  record Defaults() implements GcsCredential {
    @Override
    public Credentials resolve(GcsSettings settings) throws BackupException {
      try {
        return GoogleCredentials.getApplicationDefault()
            .createScoped("https://www.googleapis.com/auth/devstorage.full_control");
      } catch (IOException e) {
        throw refused(settings, "there are no Application Default Credentials here");
      }
    }
  }

  /** Nobody. */
  record Nobody() implements GcsCredential {
    @Override
    public Credentials resolve(GcsSettings settings) {
      return NoCredentials.getInstance();
    }
  }

  private static BackupException.Sink refused(GcsSettings settings, String what) {
    return new BackupException.Sink(
        CoreFailure.CREDENTIALS_REFUSED,
        Reason.DENIED,
        "open %s: %s".formatted(settings.describe(), what));
  }
}
