package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.BackupHost;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.S3Object;

/** What somebody with other credentials hides in a bucket that keeps versions. */
abstract class HistoryOfBuckets {
  @TempDir Path temp;

  /** Of somebody else. */
  abstract S3Client client();

  /** A bucket that nothing is in. */
  abstract String makeBucket();

  abstract S3Sink sink(String bucket);

  final String newBucket() {
    String bucket = makeBucket();
    client()
        .putBucketVersioning(
            r ->
                r.bucket(bucket)
                    .versioningConfiguration(v -> v.status(BucketVersioningStatus.ENABLED)));
    return bucket;
  }

  @Test
  void what_somebody_deleted_or_replaced_is_named_and_brought_back() throws Exception {
    String bucket = newBucket();
    S3Sink sink = sink(bucket).prefix("p");
    try (AgeIdentity identity = AgeIdentity.generate()) {
      var host =
          new BackupHost(
              temp,
              sink,
              identity,
              identity.recipient(),
              (file, writer) -> WriterKeyFile.at(file).named(writer));
      host.write(1, 200_000);
      host.backUp("first");
      String pack = first(keys(bucket), "/packs/");
      String manifest = first(keys(bucket), "/manifests/");
      host.write(2, 200_000);
      SnapshotId second = host.backUp("second");
      List<String> keys = keys(bucket);
      String entry = keys.stream().filter(k -> k.endsWith(".entry")).reduce((a, b) -> b).get();
      for (String deleted : List.of(pack, entry)) {
        client().deleteObject(r -> r.bucket(bucket).key(deleted));
      }
      client().deleteObject(r -> r.bucket(bucket).key(entry));
      client().putObject(r -> r.bucket(bucket).key(manifest), RequestBody.fromString("nonsense"));

      List<String> hidden = host.hidden();

      assertEquals(3, hidden.size(), hidden.toString());
      assertEquals(
          Set.of(pack, manifest, entry),
          hidden.stream().map(name -> "p/" + name).collect(Collectors.toSet()));
      host.repair();
      assertEquals(List.of(), host.hidden());
      host.requireAllComplete();
      host.requireRestored(second);
      var kept = client().listObjectVersions(r -> r.bucket(bucket).prefix(manifest));
      assertTrue(
          kept.versions().stream().anyMatch(v -> v.size() == "nonsense".length()),
          "what replaced it is kept for whoever asks");
    }
  }

  private List<String> keys(String bucket) {
    return client().listObjectsV2(r -> r.bucket(bucket)).contents().stream()
        .map(S3Object::key)
        .sorted()
        .toList();
  }

  private static String first(List<String> keys, String part) {
    return keys.stream().filter(k -> k.contains(part)).findFirst().orElseThrow();
  }

  @Test
  void a_bucket_without_versions_keeps_nothing() throws Exception {
    try (ObjectStore store = sink(makeBucket()).open(StoreContext.system())) {
      List<KeptVersion> kept = new ArrayList<>();

      store.ability(StoreAbility.History.class).orElseThrow().kept("", kept::add);

      assertEquals(List.of(), kept);
    }
  }
}
