package org.stellaops.backup.storage.gcs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.cloud.storage.BlobId;
import com.google.cloud.storage.BlobInfo;
import com.google.cloud.storage.BucketInfo;
import com.google.cloud.storage.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;

/** Generations that somebody deleted or replaced, in a bucket with versioning. */
@Tag("interop")
class FakeGcsHistoryTest {
  private static final String BUCKET = "versions";

  @Test
  void what_was_deleted_or_replaced_is_told_read_and_brought_back() throws Exception {
    try (FakeGcs server = FakeGcs.start();
        ObjectStore store = server.sink(BUCKET).prefix("p").open(StoreContext.system())) {
      Storage client = server.client();
      client.create(BucketInfo.newBuilder(BUCKET).setVersioningEnabled(true).build());
      for (int length = 1; length <= 3; length++) {
        client.create(BlobInfo.newBuilder(BUCKET, "p/replaced").build(), new byte[length]);
      }
      client.create(BlobInfo.newBuilder(BUCKET, "p/deleted").build(), new byte[7]);
      client.create(BlobInfo.newBuilder(BUCKET, "p/there").build(), new byte[9]);
      client.delete(BlobId.of(BUCKET, "p/deleted"));
      StoreAbility.History history = store.ability(StoreAbility.History.class).orElseThrow();

      List<KeptVersion> kept = new ArrayList<>();
      history.kept("", kept::add);

      assertEquals(
          List.of("deleted 7 false", "replaced 2 true", "replaced 1 true"),
          kept.stream().map(v -> v.name() + " " + v.lengthBytes() + " " + v.isReplaced()).toList());
      assertTrue(kept.stream().allMatch(v -> v.hiddenAt().isPresent()), kept::toString);
      try (InputStream in = history.open(kept.get(0), new ByteRange(2, 4))) {
        assertEquals(4, in.readAllBytes().length);
      }
      history.bringBack(kept.get(0));
      history.bringBack(kept.get(2));
      assertArrayEquals(new byte[7], read(store, "deleted"));
      assertArrayEquals(new byte[1], read(store, "replaced"));

      kept.clear();
      history.kept("replaced", kept::add);
      assertEquals(3, kept.size(), "what replaced it is kept");
      var gone =
          new KeptVersion(
              ObjectName.of("there"), "1", 9, kept.get(0).storedAt(), kept.get(0).hiddenAt(), true);
      var e = assertThrows(BackupException.Sink.class, () -> history.bringBack(gone));
      assertEquals(Reason.NOT_FOUND, e.reason(), e.getMessage());
    }
  }

  @Test
  void a_bucket_without_versioning_keeps_nothing() throws Exception {
    try (FakeGcs server = FakeGcs.start();
        ObjectStore store = server.newSink().open(StoreContext.system())) {
      List<KeptVersion> kept = new ArrayList<>();

      store.ability(StoreAbility.History.class).orElseThrow().kept("", kept::add);

      assertEquals(List.of(), kept);
    }
  }

  private static byte[] read(ObjectStore store, String name) throws IOException {
    try (InputStream in = store.open(ObjectName.of(name), ByteRange.ALL)) {
      return in.readAllBytes();
    }
  }
}
