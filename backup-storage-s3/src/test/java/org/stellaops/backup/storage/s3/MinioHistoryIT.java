package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

/** Versions in buckets of MinIO. */
@Tag("interop")
class MinioHistoryIT extends HistoryOfBuckets {
  @TempDir static Path data;
  private static MinioServer server;

  @BeforeAll
  static void start() throws Exception {
    server = MinioServer.start(data);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  S3Client client() {
    return server.client();
  }

  @Override
  String makeBucket() {
    return server.newBucket(false);
  }

  @Override
  S3Sink sink(String bucket) {
    return server.sink(bucket);
  }

  @Test
  void versions_of_many_objects_are_told_apart_page_by_page() throws Exception {
    String bucket = newBucket();
    S3Pace pages =
        new S3Pace(
            16 << 20,
            64 << 20,
            16 << 20,
            1,
            Runnable::run,
            2,
            Duration.ofMillis(1),
            Duration.ofDays(1),
            3,
            1 << 30);
    try (ObjectStore store = sink(bucket).at(pages).open(StoreContext.system())) {
      StoreAbility.History history = store.ability(StoreAbility.History.class).orElseThrow();
      for (int i = 0; i < 5; i++) {
        String key = "many/" + i;
        for (int version = 0; version <= i; version++) {
          byte[] bytes = new byte[version + 1];
          client().putObject(r -> r.bucket(bucket).key(key), RequestBody.fromBytes(bytes));
        }
      }
      client().deleteObject(r -> r.bucket(bucket).key("many/1"));

      List<KeptVersion> kept = new ArrayList<>();
      history.kept("many/", kept::add);

      List<String> told =
          kept.stream().map(v -> v.name() + " " + v.lengthBytes() + " " + v.isReplaced()).toList();
      assertEquals(
          List.of(
              "many/1 2 false",
              "many/1 1 false",
              "many/2 2 true",
              "many/2 1 true",
              "many/3 3 true",
              "many/3 2 true",
              "many/3 1 true",
              "many/4 4 true",
              "many/4 3 true",
              "many/4 2 true",
              "many/4 1 true"),
          told);
      assertTrue(kept.stream().allMatch(v -> v.hiddenAt().isPresent()));
      try (InputStream in = history.open(kept.get(7), new ByteRange(1, 2))) {
        assertEquals(2, in.readAllBytes().length);
      }
      history.bringBack(kept.get(1));
      assertArrayEquals(new byte[1], read(store, ObjectName.of("many/1")));
      history.bringBack(kept.get(8));
      assertArrayEquals(new byte[3], read(store, ObjectName.of("many/4")));
    }
  }

  private static byte[] read(ObjectStore store, ObjectName name) throws IOException {
    try (InputStream in = store.open(name, ByteRange.ALL)) {
      return in.readAllBytes();
    }
  }
}
