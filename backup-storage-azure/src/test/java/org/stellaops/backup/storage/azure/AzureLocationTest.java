package org.stellaops.backup.storage.azure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.Locations;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.StoreCredentials;

/** What a URI of a container means. */
class AzureLocationTest {
  private static final StoreCredentials KEY =
      StoreCredentials.key("example", () -> Secret.of("a2V5"));

  @Test
  void an_account_is_said_by_the_uri_or_by_whoever_asks() throws Exception {
    assertEquals(
        "https://other.blob.core.windows.net/container/a",
        AzureSink.of(URI.create("azure:container:/a?account=other&tier=cool")).describe());
    assertEquals(
        "https://example.blob.core.windows.net/container",
        Locations.of(URI.create("azure://container"), KEY).describe());
    assertEquals(
        "http://127.0.0.1:10000/example/container/a",
        Locations.of(URI.create("azure://container/a?endpoint=http://127.0.0.1:10000/example"), KEY)
            .describe());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "azure://container",
        "azure://container?account=No.Account",
        "azure://container?account=other&endpoint=https://other.blob.core.windows.net",
        "azure://container?account=other&tier=warm",
        "azure://container?account=other&region=x",
        "s3://container?account=other"
      })
  void what_means_nothing_is_refused(String uri) {
    var e = assertThrows(BackupException.Refused.class, () -> AzureSink.of(URI.create(uri)));

    assertEquals(CoreFailure.LOCATION_REFUSED, e.code(), e.getMessage());
  }

  @Test
  void a_chain_of_defaults_is_none_of_its_credentials() {
    URI uri = URI.create("azure://container?account=other");
    var e =
        assertThrows(
            BackupException.Refused.class,
            () -> Locations.of(uri, StoreCredentials.defaultChain()));

    assertEquals(CoreFailure.CREDENTIALS_UNFIT, e.code());
    assertTrue(e.getMessage().contains("token"), e::getMessage);
  }
}
