package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.engine.SyntheticRepository.Scale;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.retention.PrunePreview;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.store.ForwardingStore;

/** Listing and previewing stay quick and small however many snapshots and packs there are. */
class ScaleIT {
  /** A 200th of the snapshots, and few packs: files are slow to make, and nobody looks at them. */
  private static final Scale SMALL = new Scale(10, 5, 10, 4);

  @TempDir Path root;

  /** What was asked of a store. */
  private static final class Asked {
    final List<String> opened = new ArrayList<>();
    int listed;

    BackupSink through(BackupSink sink) {
      return sink.with(Counting::new);
    }

    long entries() {
      return opened.stream().filter(n -> n.startsWith("log/")).count();
    }

    private final class Counting extends ForwardingStore {
      Counting(ObjectStore inner) {
        super(inner);
      }

      @Override
      public InputStream open(ObjectName name, ByteRange range) throws IOException {
        opened.add(name.value());
        return super.open(name, range);
      }

      @Override
      public ObjectPage list(String prefix, PageToken from) throws IOException {
        listed++;
        return super.list(prefix, from);
      }
    }
  }

  private Asked listed(SyntheticRepository made, String workspace, int expected)
      throws IOException {
    Asked asked = new Asked();
    try (BackupRepository opened =
        BackupRepository.at(asked.through(made.sink()))
            .trust(made.trust())
            .workspace(root.resolve(workspace))
            .open()) {
      List<SnapshotSummary> all = opened.catalog().list(SnapshotFilter.all());
      assertEquals(expected, all.size());
      assertTrue(all.stream().allMatch(SnapshotSummary::isAuthenticated));
    }
    return asked;
  }

  @Test
  void a_list_reads_each_entry_once_and_never_again_and_no_manifest_or_list() throws Exception {
    Scale scale = SMALL;
    SyntheticRepository made = SyntheticRepository.create(root.resolve("made"), scale);
    int snapshots = scale.writers() * scale.snapshots();
    int epochs = 1;

    Asked cold = listed(made, "workspace", snapshots);
    assertEquals(snapshots + epochs, cold.entries());
    assertTrue(cold.opened.stream().noneMatch(n -> n.startsWith("w/")), cold.opened.toString());

    Asked warm = listed(made, "workspace", snapshots);
    assertEquals(List.of("repository.json", "sink.json"), warm.opened);
    assertEquals(cold.listed, warm.listed);

    PrunePreview preview = ScaleProbe.preview(made, root.resolve("workspace"));
    assertEquals(snapshots, preview.rows().size());
    assertEquals(List.of(), preview.blockers());
  }

  @Test
  void twice_the_snapshots_are_twice_the_entries_read_and_no_more_listings() throws Exception {
    Scale scale = SMALL;
    SyntheticRepository one = SyntheticRepository.create(root.resolve("one"), scale);
    SyntheticRepository two =
        SyntheticRepository.create(root.resolve("two"), scale.withSnapshots(2 * scale.snapshots()));
    int snapshots = scale.writers() * scale.snapshots();
    Asked ofOne = listed(one, "workspace-1", snapshots);
    Asked ofTwo = listed(two, "workspace-2", 2 * snapshots);
    assertEquals(snapshots, ofTwo.entries() - ofOne.entries());
    assertEquals(ofOne.listed, ofTwo.listed);
  }

  @Test
  void an_index_of_two_million_chunks_fits_a_heap_of_32_MiB() throws Exception {
    indexed(125_000, "-Xmx32m");
  }

  @Test
  @Tag("soak")
  void an_index_of_ten_million_chunks_fits_the_same_heap() throws Exception {
    indexed(625_000, "-Xmx32m");
  }

  private void indexed(int packs, String heap) throws Exception {
    Map<String, Long> told =
        told(ChildJvm.run(root, heap, IndexProbe.class, Integer.toString(packs)));
    System.out.printf("%d packs in %s: %s%n", packs, heap, told);
    assertEquals((long) packs * IndexProbe.CHUNKS_OF_A_PACK, told.get("chunks"));
    assertEquals(20_000, told.get("cold-found"));
    assertEquals(20_000, told.get("warm-found"));
  }

  @Test
  @Tag("soak")
  void ten_thousand_snapshots_are_listed_in_a_second_in_256_MiB() throws Exception {
    Scale scale = Scale.dividedBy(1);
    Path made = root.resolve("made");
    SyntheticRepository.create(made, scale);
    for (String what : List.of("list", "preview")) {
      Map<String, Long> cold = probe(made, what);
      Map<String, Long> warm = probe(made, what);
      System.out.printf(
          "%s of 10,000 snapshots in 625,000 packs: cold %d ms, warm %d ms, again %d ms, peak %d and %d MiB%n",
          what,
          cold.get("millis"),
          warm.get("millis"),
          warm.get("again-millis"),
          cold.get("peak-rss-bytes") >> 20,
          warm.get("peak-rss-bytes") >> 20);
      assertEquals(10_000, warm.get("rows"));
      assertTrue(warm.get("millis") < (what.equals("list") ? 1_000 : 30_000), warm.toString());
      // In a JVM that has done it before, as a service has.
      assertTrue(warm.get("again-millis") < 1_000, warm.toString());
      assertTrue(cold.get("peak-rss-bytes") <= 512L << 20, cold.toString());
      assertTrue(warm.get("peak-rss-bytes") <= 512L << 20, warm.toString());
    }
  }

  private static Map<String, Long> probe(Path made, String what) throws Exception {
    Files.createDirectories(made);
    return told(ChildJvm.run(made, "-Xmx256m", ScaleProbe.class, what, "workspace-" + what));
  }

  private static Map<String, Long> told(List<String> lines) {
    Map<String, Long> told = new HashMap<>();
    for (String line : lines) {
      String[] words = line.split(" ");
      told.put(words[0], Long.parseLong(words[1]));
    }
    return told;
  }
}
