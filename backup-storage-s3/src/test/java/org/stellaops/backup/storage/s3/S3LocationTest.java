package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.Locations;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoreCredentials;

/** Buckets of S3Proxy by their URIs. */
class S3LocationTest extends BucketLocations {
  private static ProxiedServer server;

  S3LocationTest() {
    super(ProxiedServer.ACCESS_KEY, ProxiedServer.SECRET_KEY);
  }

  @BeforeAll
  static void start() throws Exception {
    server = ProxiedServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @Override
  protected URI newLocation() {
    return URI.create(
        "s3://%s/site-a?endpoint=%s".formatted(server.newBucket(), server.proxy().uri()));
  }

  @Test
  void a_uri_says_what_calls_say() throws Exception {
    assertEquals(
        "s3://bucket/a/b/ at https://minio.example:9000",
        S3Sink.of(URI.create("s3:https://minio.example:9000/bucket/a/b")).describe());
    assertEquals(
        "s3://bucket", S3Sink.of(URI.create("s3://bucket?region=eu-central-1")).describe());
    S3Sink all =
        S3Sink.of(
            URI.create(
                "s3://bucket?region=auto&endpoint=https://x.example&path-style=false"
                    + "&storage-class=STANDARD_IA&kms-key=alias/a&checksums=none"
                    + "&follow-region=true&conditional-create=false"));
    try (ObjectStore store = all.credentials("a", Secret.of("b")).open(StoreContext.system())) {
      assertFalse(store.traits().isCreateExclusive());
    }
  }

  @Test
  void neither_region_nor_endpoint_is_refused() {
    for (String uri :
        new String[] {
          "s3://bucket", "s3://bucket?endpoint=https://host/path", "gs://bucket?region=x"
        }) {
      var e = assertThrows(BackupException.Refused.class, () -> S3Sink.of(URI.create(uri)));
      assertEquals(CoreFailure.LOCATION_REFUSED, e.code(), e.getMessage());
    }
  }

  @Test
  void the_environment_is_asked_only_when_that_was_said() throws Exception {
    URI uri = URI.create("s3://bucket?region=eu-central-1");

    assertEquals("s3://bucket", Locations.of(uri, StoreCredentials.defaultChain()).describe());
    assertEquals("s3://bucket", Locations.of(uri, StoreCredentials.anonymous()).describe());
    var e = assertThrows(BackupException.Refused.class, () -> Locations.of(uri));

    assertEquals(CoreFailure.CREDENTIALS_UNFIT, e.code());
    assertTrue(e.getMessage().contains("defaultChain"), e::getMessage);
  }
}
