package org.stellaops.backup.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.URI;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** URIs of buckets as they are written by hand, copied from other tools, and got wrong. */
class LocationUriTest {
  private enum Colour {
    DARK_RED
  }

  @ParameterizedTest
  @CsvSource({
    "s3://bucket, bucket, ''",
    "s3://bucket/, bucket, ''",
    "S3://bucket_1/some/folder/, bucket_1, some/folder",
    "gs://my.bucket-2/a%20b, my.bucket-2, a b",
    "gs://bucket/a+b, bucket, a+b",
    "gs:bucket:/, bucket, ''",
    "gs:bucket:/some/folder, bucket, some/folder",
    "azure:container:folder, container, folder"
  })
  void all_forms_name_a_bucket_and_a_folder(String uri, String bucket, String folder)
      throws Exception {
    LocationUri read = LocationUri.parse(URI.create(uri));

    assertEquals(bucket, read.bucket());
    assertEquals(folder, read.prefix());
    assertEquals(Optional.empty(), read.takeEndpoint());
    read.requireNoMore();
  }

  @Test
  void a_service_stands_before_the_bucket_or_is_a_setting() throws Exception {
    LocationUri before = LocationUri.parse(URI.create("s3:http://127.0.0.1:9000/bucket/a/b?x=1"));
    assertEquals("bucket", before.bucket());
    assertEquals("a/b", before.prefix());
    assertEquals(Optional.of(URI.create("http://127.0.0.1:9000")), before.takeEndpoint());
    assertEquals(Optional.of("1"), before.take("X"));

    LocationUri after = LocationUri.parse(URI.create("s3://bucket?endpoint=https%3A%2F%2Fhost:1"));
    assertEquals(Optional.of(URI.create("https://host:1")), after.takeEndpoint());
    after.requireNoMore();
  }

  @Test
  void settings_are_found_however_their_words_are_joined() throws Exception {
    LocationUri uri =
        LocationUri.parse(URI.create("s3://b?s3ForcePathStyle=true&storage_class=dark-red"));

    assertEquals(Optional.of(true), uri.takeBoolean("path-style", "s3-force-path-style"));
    assertEquals(Optional.of(Colour.DARK_RED), uri.takeOneOf(Colour.class, "storage-class"));
    uri.requireNoMore();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s3:///folder",
        "s3://",
        "s3:host/bucket",
        "s3://host:9000/bucket",
        "s3://bucket//folder",
        "s3://bucket/a/../b",
        "s3://bucket/a%00b",
        "s3://bucket#part",
        "s3://bucket?endpoint",
        "s3://bucket?endpoint=",
        "s3://bucket?endpoint=host:9000",
        "s3://bucket?endpoint=ftp://host",
        "s3://bucket?endpoint=https://host?x",
        "s3://bucket?region=a&REGION=b",
        "s3://bucket?colour=red",
        "s3://bucket?path-style=yes",
        "s3://bucket?path-style=true&pathstyle2=x&force-path-style=true",
        "s3:https://host/bucket?endpoint=https://other",
        "s3://-bucket"
      })
  void what_means_nothing_is_refused(String uri) {
    var e =
        assertThrows(
            BackupException.Refused.class,
            () -> {
              LocationUri read = LocationUri.parse(new URI(uri.equals("s3://") ? "s3:/" : uri));
              read.takeEndpoint();
              read.take("region");
              read.takeBoolean("path-style", "force-path-style");
              read.requireNoMore("endpoint", "region");
            },
            uri);

    assertEquals(CoreFailure.LOCATION_REFUSED, e.code(), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s3://key:HIDDEN@bucket/folder",
        "s3://key:HIDDEN@bucket_1/folder",
        "s3://HIDDEN@bucket",
        "s3:https://key:HIDDEN@host/bucket",
        "gs:HIDDEN@bucket:/",
        "s3://bucket?endpoint=https://key:HIDDEN@host",
        "s3://bucket?endpoint=https%3A%2F%2Fkey:HIDDEN%40host",
        "s3://bucket?secret_access_key=HIDDEN",
        "s3://bucket?AccessKey=HIDDEN",
        "s3://bucket?session-token=HIDDEN",
        "s3://bucket?x-amz-security-token=HIDDEN",
        "azure://container?sv=2024&sig=HIDDEN",
        "azure://container?account-key=HIDDEN",
        "gs://bucket?credentials=HIDDEN",
        "gs://bucket?key=HIDDEN"
      })
  void a_secret_is_refused_and_not_repeated(String uri) {
    var e =
        assertThrows(BackupException.Refused.class, () -> LocationUri.parse(URI.create(uri)), uri);

    assertEquals(CoreFailure.SECRET_IN_LOCATION, e.code(), e.getMessage());
    assertFalse(e.getMessage().contains("HIDDEN"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s3://key:HID/DEN@bucket/folder",
        "s3://bucket?HIDDEN",
        "s3://bucket?endpoint=HIDDEN",
        "s3://bucket?path-style=HIDDEN",
        "s3:HIDDEN",
        "s3://bucket//HIDDEN"
      })
  void what_may_be_a_secret_is_not_repeated_either(String uri) {
    var e =
        assertThrows(
            BackupException.Refused.class,
            () -> {
              LocationUri read = LocationUri.parse(URI.create(uri));
              read.takeEndpoint();
              read.takeBoolean("path-style");
            },
            uri);

    assertFalse(e.getMessage().contains("HID"), e.getMessage());
    assertFalse(e.getMessage().contains("DEN"), e.getMessage());
  }
}
