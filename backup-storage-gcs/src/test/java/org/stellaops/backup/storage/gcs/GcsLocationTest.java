package org.stellaops.backup.storage.gcs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.Locations;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.StoreCredentials;

/** What a URI of a bucket of Google's means. */
class GcsLocationTest {
  @Test
  void a_bucket_and_a_folder_are_found_in_both_forms() throws Exception {
    StoreCredentials keyFile = StoreCredentials.document(() -> Secret.of("{}"));

    assertEquals(
        GcsSink.bucket("bucket").prefix("a/b").describe(),
        Locations.of(URI.create("gs://bucket/a/b?storage-class=nearline"), keyFile).describe());
    assertEquals(
        GcsSink.bucket("bucket").describe(),
        Locations.of(URI.create("gs:bucket:/"), StoreCredentials.defaultChain()).describe());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"gs://bucket?storage-class=hot", "gs://bucket?region=x", "azure://bucket"})
  void what_means_nothing_is_refused(String uri) {
    var e = assertThrows(BackupException.Refused.class, () -> GcsSink.of(URI.create(uri)));

    assertEquals(CoreFailure.LOCATION_REFUSED, e.code(), e.getMessage());
  }

  @Test
  void a_name_and_a_secret_are_none_of_its_credentials() {
    StoreCredentials key = StoreCredentials.key("name", () -> Secret.of("secret"));
    var e =
        assertThrows(
            BackupException.Refused.class, () -> Locations.of(URI.create("gs://bucket"), key));

    assertEquals(CoreFailure.CREDENTIALS_UNFIT, e.code());
  }
}
