package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.testkit.MemorySink;

/** A run that stores more chunks than its memory has room for. */
class SpilledRunIT {
  /** Three times what the smallest memory budget keeps in memory, in six packs. */
  private static final int CHUNKS = 3 * (1 << 12);

  private static final int PACK_BYTES = 4 << 20;

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private Host host;

  /** How many files the index had when an operation of this kind began; the most of all. */
  private final Map<String, Integer> files = new HashMap<>();

  private long sentBytes;

  @BeforeEach
  void generate() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
  }

  @AfterEach
  void wipe() {
    sink.assertNothingOpen();
    owner.close();
  }

  private List<Path> temporary() throws IOException {
    try (Stream<Path> all = Files.walk(host.workspace())) {
      return all.filter(f -> f.toString().contains("/index/host-a/tmp/"))
          .filter(Files::isRegularFile)
          .toList();
    }
  }

  private BackupSink watched(HookedStore.Hook hook) {
    return HookedStore.on(
        sink,
        what -> {
          String kind = what.replaceAll("put w/host-a/([a-z]+)/.*", "$1");
          if (Files.isDirectory(host.workspace())) {
            files.merge(kind, temporary().size(), Math::max);
          }
          hook.before(what);
          if (kind.equals("packs")) {
            sentBytes += Long.parseLong(what.replaceAll(".*-([0-9]+)\\.age", "$1"));
          }
        });
  }

  private BackupReport backUp(BackupSource source, String name, BackupSink through)
      throws IOException {
    sentBytes = 0;
    try (BackupEngine engine =
        host.with(
                host.plan(through)
                    .source(Host.SOURCE, source)
                    .limits(new Limits(32 << 20, 1, 1, ManyChunks.BLOCK_BYTES))
                    .build())
            .open()) {
      return engine.backup(BackupRequest.full().named(name));
    } finally {
      assertEquals(List.of(), temporary());
    }
  }

  private void assertRestored(String name, int seed) throws IOException {
    try (BackupRepository repository = host.repository(owner)) {
      SnapshotRef snapshot = SnapshotRef.named(name);
      assertTrue(repository.verify(snapshot, Verification.full(owner)).isIntact());
      BytesSource.Target target = new BytesSource.Target();
      RestorePlan plan =
          repository.planRestore(RestoreRequest.of(snapshot).target(Host.SOURCE, target));
      repository.restore(plan, Confirmation.of(plan.digest()));
      MessageDigest expected = Digest.sha256();
      try (OutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), expected)) {
        ManyChunks.write(seed, CHUNKS, out);
      }
      assertEquals(
          Digest.of(expected.digest()), Digest.ofContent(target.restored.get("table.tar")));
    }
  }

  @Test
  void it_is_restored_and_the_next_one_stores_nothing_again() throws Exception {
    BackupReport first = backUp(ManyChunks.of(1, CHUNKS), "first", watched(what -> {}));
    first.requireGood();
    assertTrue(files.get("packs") >= 3, "nothing was spilled: " + files);
    assertTrue(files.get("state") >= 3, "the index was not written from files: " + files);
    assertRestored("first", 1);
    assertEquals(0, backUp(ManyChunks.of(1, CHUNKS), "second", sink).newBytes());
    host.assertWorkspaceClean();
  }

  @Test
  void without_a_workspace_it_is_the_same() throws Exception {
    try (BackupEngine engine =
        BackupEngine.with(
                host.plan(sink)
                    .source(Host.SOURCE, ManyChunks.of(1, CHUNKS))
                    .limits(new Limits(32 << 20, 1, 1, ManyChunks.BLOCK_BYTES))
                    .build())
            .executor(Runnable::run)
            .instance("host-a")
            .open()) {
      BackupReport first = engine.backup(BackupRequest.full().named("first"));
      assertTrue(first.newBytes() > 5L * PACK_BYTES, first.toString());
    }
    assertEquals(0, backUp(ManyChunks.of(1, CHUNKS), "second", sink).newBytes());
  }

  @Test
  void what_it_stored_before_it_died_is_not_sent_again() throws Exception {
    List<String> packs = new ArrayList<>();
    BackupSink dying =
        watched(
            what -> {
              if (what.startsWith("put w/host-a/packs/")) {
                packs.add(what);
              }
              if (packs.size() > 5) {
                throw new IOException("gone at " + what);
              }
            });
    assertThrows(BackupException.Sink.class, () -> backUp(ManyChunks.of(1, CHUNKS), "cut", dying));
    assertTrue(files.get("packs") >= 3, "nothing was spilled: " + files);
    backUp(ManyChunks.of(1, CHUNKS), "again", watched(what -> {})).requireGood();
    assertTrue(sentBytes < 4L * PACK_BYTES, sentBytes + " bytes were sent again");
    assertRestored("again", 1);
    assertEquals(0, backUp(ManyChunks.of(1, CHUNKS), "next", sink).newBytes());
  }

  @Test
  void half_a_million_new_chunks_fit_a_heap_of_48_MiB() throws Exception {
    stored(31_250, "-Xmx48m");
  }

  @Test
  @Tag("soak")
  void ten_million_new_chunks_fit_the_same_heap() throws Exception {
    stored(625_000, "-Xmx48m");
  }

  /** What the first spill takes fits, and no more; root mounts it. */
  @Test
  @Tag("interop")
  void a_workspace_that_is_full_costs_memory_and_no_chunk() throws Exception {
    Path disk = Files.createDirectory(root.resolve("spilled"));
    mount("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", disk.toString());
    try {
      stored(25_000, "-Xmx256m");
    } finally {
      mount("umount", disk.toString());
    }
  }

  private static void mount(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
  }

  private void stored(int packs, String heap) throws Exception {
    Map<String, Long> told = new HashMap<>();
    for (String line : ChildJvm.run(root, heap, SpillProbe.class, Integer.toString(packs))) {
      told.put(line.split(" ")[0], Long.parseLong(line.split(" ")[1]));
    }
    System.out.printf("%d new packs in %s: %s%n", packs, heap, told);
    assertEquals((long) packs * SpillProbe.CHUNKS_OF_A_PACK, told.get("chunks"));
    assertEquals(SpillProbe.LOOKED_UP, told.get("found"));
    assertEquals(4 + packs * (44L + 40L * SpillProbe.CHUNKS_OF_A_PACK), told.get("written-bytes"));
    // The process was killed with its files: the next one removes them.
    assertTrue(told.get("file-bytes") > 0);
    SpillProbe.sweep(root);
    assertEquals(0, SpillProbe.fileBytes(root));
  }
}
