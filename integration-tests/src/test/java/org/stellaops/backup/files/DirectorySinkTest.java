package org.stellaops.backup.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoredObject;

class DirectorySinkTest {
  @TempDir Path temp;

  private Path root() {
    return temp.resolve("store");
  }

  private ObjectStore open() {
    return DirectorySink.at(root()).open(StoreContext.system());
  }

  private static ObjectBody body(String text) {
    return ObjectBody.of(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String read(ReadableStore store, String name) throws IOException {
    try (InputStream in = store.open(ObjectName.of(name), ByteRange.ALL)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static List<String> names(ReadableStore store, String prefix) throws IOException {
    List<String> names = new ArrayList<>();
    for (PageToken at = PageToken.START; !at.equals(PageToken.END); ) {
      var page = store.list(prefix, at);
      page.objects().stream().map(StoredObject::name).map(ObjectName::value).forEach(names::add);
      at = page.next();
    }
    return names;
  }

  private static Reason reason(org.junit.jupiter.api.function.Executable action) {
    return assertThrows(BackupException.Sink.class, action).reason();
  }

  @Test
  void opening_listing_and_sweeping_create_nothing() throws Exception {
    try (ObjectStore store = open()) {
      assertEquals(List.of(), names(store, ""));
      assertEquals(0, store.ability(StoreAbility.Strays.class).orElseThrow().sweep());
      assertTrue(
          store.ability(StoreAbility.Capacity.class).orElseThrow().freeBytes().getAsLong() > 0);
      assertEquals(Reason.NOT_FOUND, reason(() -> store.open(ObjectName.of("a"), ByteRange.ALL)));
    }
    assertFalse(Files.exists(root()));
  }

  @Test
  void a_missing_mount_is_an_error_and_not_an_empty_store() {
    ObjectStore store =
        DirectorySink.at(temp.resolve("not-mounted/store")).open(StoreContext.system());
    var e =
        assertThrows(BackupException.Sink.class, () -> store.put(ObjectName.of("a"), body("x")));
    assertEquals(CoreFailure.SINK_NOT_THERE, e.code());
    assertFalse(Files.exists(temp.resolve("not-mounted")));
  }

  @Test
  void everything_is_private_and_nothing_else_is_left() throws Exception {
    try (ObjectStore store = open()) {
      store.put(ObjectName.of("a/b/c"), body("x"));
    }
    assertEquals(
        List.of("a 40700", "a/b 40700", "a/b/c 100600"),
        Tree.of(root()).entrySet().stream()
            .map(e -> e.getKey() + " " + e.getValue().split(" ")[0])
            .toList());
    assertEquals(0040700, Files.getAttribute(root(), "unix:mode"));
  }

  @Test
  void a_half_written_object_is_private_and_has_no_name() throws Exception {
    try (ObjectStore store = open()) {
      List<String> seen = new ArrayList<>();
      store.put(
          ObjectName.of("a"),
          watched(
              () -> {
                Tree.of(root()).forEach((name, line) -> seen.add(line.split(" ")[0]));
                seen.addAll(names(store, ""));
              }));
      assertEquals(List.of("40700", "40700", "100600", "100600"), seen);
    }
  }

  private interface Watcher {
    void watch() throws IOException;
  }

  /** A body of one byte that looks around when it has been read. */
  private static ObjectBody watched(Watcher watcher) {
    return new ObjectBody() {
      @Override
      public long lengthBytes() {
        return 1;
      }

      @Override
      public Digest digest() {
        return Digest.ofContent(new byte[] {7});
      }

      @Override
      public InputStream open() {
        return new ByteArrayInputStream(new byte[] {7}) {
          @Override
          public synchronized int read(byte[] bytes, int offset, int length) {
            int n = super.read(bytes, offset, length);
            if (n < 0) {
              try {
                watcher.watch();
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            }
            return n;
          }
        };
      }
    };
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  void a_body_that_is_not_what_it_announced_is_refused(int announced) throws Exception {
    try (ObjectStore store = open()) {
      ObjectBody lying =
          new ObjectBody() {
            @Override
            public long lengthBytes() {
              return announced;
            }

            @Override
            public Digest digest() {
              return Digest.ofContent(new byte[] {1});
            }

            @Override
            public InputStream open() {
              return new ByteArrayInputStream(new byte[] {1});
            }
          };
      assertEquals(Reason.REFUSED, reason(() -> store.put(ObjectName.of("a"), lying)));
      assertEquals(List.of(), names(store, ""));
    }
    assertEquals(Map.of(), Tree.of(root()));
  }

  @Test
  void a_failing_body_passes_its_own_failure_and_leaves_nothing() throws Exception {
    var failure = new IOException("the body broke");
    try (ObjectStore store = open()) {
      ObjectBody broken =
          new ObjectBody() {
            @Override
            public long lengthBytes() {
              return 1;
            }

            @Override
            public Digest digest() {
              return Digest.ofContent(new byte[0]);
            }

            @Override
            public InputStream open() throws IOException {
              throw failure;
            }
          };
      assertEquals(
          failure, assertThrows(IOException.class, () -> store.put(ObjectName.of("a"), broken)));
    }
    assertEquals(Map.of(), Tree.of(root()));
  }

  @Test
  void one_of_many_threads_wins_each_name() throws Exception {
    int threads = 8;
    int rounds = 200;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    var barrier = new CyclicBarrier(threads);
    try (ObjectStore one = open();
        ObjectStore other = open()) {
      List<Future<Integer>> wins = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        ObjectStore store = t % 2 == 0 ? one : other;
        String mine = "thread " + t;
        Callable<Integer> race =
            () -> {
              int won = 0;
              for (int i = 0; i < rounds; i++) {
                barrier.await(60, TimeUnit.SECONDS);
                try {
                  store.put(ObjectName.of("log/" + i), body(mine));
                  won++;
                  assertEquals(mine, read(store, "log/" + i));
                } catch (BackupException.Sink e) {
                  assertEquals(Reason.ALREADY_EXISTS, e.reason());
                }
              }
              return won;
            };
        wins.add(pool.submit(race));
      }
      int won = 0;
      for (Future<Integer> win : wins) {
        won += win.get();
      }
      assertEquals(rounds, won);
      assertEquals(rounds, names(one, "log/").size());
    } finally {
      pool.shutdownNow();
    }
    assertFalse(Files.exists(root().resolve("tmp")));
  }

  @Test
  void a_range_past_the_end_gives_fewer_bytes_or_none() throws Exception {
    try (ObjectStore store = open()) {
      store.put(ObjectName.of("a"), body("0123456789"));
      assertEquals("34", range(store, 3, 2));
      assertEquals("89", range(store, 8, 100));
      assertEquals("", range(store, 10, 1));
      assertEquals("", range(store, 1000, 1));
      assertEquals("", range(store, 3, 0));
    }
  }

  private static String range(ObjectStore store, long offset, long length) throws IOException {
    try (InputStream in = store.open(ObjectName.of("a"), new ByteRange(offset, length))) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  @Test
  void listings_are_complete_over_pages_and_in_the_order_of_bytes() throws Exception {
    Random random = new Random(42);
    var expected = new TreeSet<>(org.stellaops.backup.internal.tar.TarMember.BY_BYTES);
    Files.createDirectory(root());
    String letters = "-./09AZaz_\u00e9\uD83D\uDE00";
    while (expected.size() < 9000) {
      var name = new StringBuilder("n");
      for (int i = random.nextInt(6); i >= 0; i--) {
        name.appendCodePoint(
            letters.codePointAt(letters.offsetByCodePoints(0, random.nextInt(12))));
      }
      if (name.indexOf("//") < 0
          && name.indexOf("/.") < 0
          && name.charAt(name.length() - 1) != '/') {
        Path file = root().resolve(name.toString());
        if (isFree(file)) {
          Files.createDirectories(file.getParent());
          Files.createFile(file);
          expected.add(name.toString());
        }
      }
    }
    try (ObjectStore store = open()) {
      assertEquals(List.copyOf(expected), names(store, ""));
      for (String prefix :
          List.of("n", "n0", "n0/", "n-", "na/z", "n\u00e9", "x", "n0/../n", "/", "n//")) {
        assertEquals(
            expected.stream().filter(n -> n.startsWith(prefix)).toList(),
            names(store, prefix),
            "prefix " + prefix);
      }
    }
  }

  /** Not there, and no parent of it is a file, and it is no directory. */
  private boolean isFree(Path file) {
    for (Path at = file; !at.equals(root()); at = at.getParent()) {
      if (Files.isRegularFile(at)) {
        return false;
      }
    }
    return !Files.exists(file);
  }

  @Test
  void symbolic_links_are_refused_everywhere() throws Exception {
    Files.createDirectories(temp.resolve("outside"));
    Files.writeString(temp.resolve("outside/secret"), "secret");
    try (ObjectStore store = open()) {
      store.put(ObjectName.of("a"), body("x"));
      Files.createSymbolicLink(root().resolve("dir"), temp.resolve("outside"));
      Files.createSymbolicLink(root().resolve("file"), temp.resolve("outside/secret"));
      assertEquals(
          Reason.REFUSED, reason(() -> store.open(ObjectName.of("dir/secret"), ByteRange.ALL)));
      assertEquals(Reason.REFUSED, reason(() -> store.open(ObjectName.of("file"), ByteRange.ALL)));
      assertEquals(Reason.REFUSED, reason(() -> store.put(ObjectName.of("dir/x"), body("x"))));
      assertEquals(Reason.REFUSED, reason(() -> store.delete(ObjectName.of("dir/secret"))));
      assertEquals(Reason.REFUSED, reason(() -> names(store, "")));
    }
    assertEquals("secret", Files.readString(temp.resolve("outside/secret")));
    assertEquals(1, Tree.of(temp.resolve("outside")).size());
  }

  @Test
  void temporary_files_cannot_be_named() throws Exception {
    try (ObjectStore store = open()) {
      assertEquals(Reason.REFUSED, reason(() -> store.put(ObjectName.of("tmp/a"), body("x"))));
      assertEquals(Reason.REFUSED, reason(() -> store.open(ObjectName.of("tmp"), ByteRange.ALL)));
      assertEquals(List.of(), names(store, "tmp/"));
    }
  }

  @Test
  void an_object_cannot_be_the_directory_of_another() throws Exception {
    try (ObjectStore store = open()) {
      store.put(ObjectName.of("a"), body("x"));
      assertEquals(Reason.REFUSED, reason(() -> store.put(ObjectName.of("a/b"), body("x"))));
      assertEquals(Reason.NOT_FOUND, reason(() -> store.open(ObjectName.of("a/b"), ByteRange.ALL)));
      store.put(ObjectName.of("d/e"), body("x"));
      assertEquals(Reason.ALREADY_EXISTS, reason(() -> store.put(ObjectName.of("d"), body("x"))));
      assertEquals(Reason.NOT_FOUND, reason(() -> store.open(ObjectName.of("d"), ByteRange.ALL)));
      store.delete(ObjectName.of("d"));
      store.delete(ObjectName.of("a/b"));
      assertEquals(List.of("a", "d/e"), names(store, ""));
    }
  }

  @Test
  void an_interrupted_thread_still_stores_whole_objects() throws Exception {
    try (ObjectStore store = open()) {
      Thread.currentThread().interrupt();
      store.put(ObjectName.of("a/b"), body("x"));
      assertTrue(Thread.interrupted());
      Thread.currentThread().interrupt();
      assertEquals("x", read(store, "a/b"));
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void a_killed_process_leaves_no_object_and_its_file_is_swept() throws Exception {
    try (ObjectStore store = open();
        ChildJvm child = ChildJvm.run(DirectorySinkChild.class, "put-forever", root())) {
      var strays = store.ability(StoreAbility.Strays.class).orElseThrow();
      assertEquals("written", child.line());
      assertEquals(0, strays.sweep());

      child.kill();

      assertEquals(List.of(), names(store, ""));
      assertEquals(1, strays.sweep());
      assertEquals(0, strays.sweep());
      try (var left = Files.list(root().resolve("tmp"))) {
        assertEquals(0, left.count());
      }
    }
  }

  @Test
  void a_sweep_in_this_process_does_not_take_the_lock_of_another_store_away() throws Exception {
    try (ObjectStore writer = open();
        ObjectStore sweeper = open()) {
      writer.put(
          ObjectName.of("a"),
          watched(
              () -> {
                assertEquals(0, sweeper.ability(StoreAbility.Strays.class).orElseThrow().sweep());
                assertEquals("0", sweepElsewhere());
              }));
      assertArrayEquals(new byte[] {7}, read(writer, "a").getBytes(StandardCharsets.US_ASCII));
    }
  }

  private String sweepElsewhere() throws IOException {
    try (ChildJvm child = ChildJvm.run(DirectorySinkChild.class, "sweep", root())) {
      return child.line();
    }
  }

  @Test
  void a_directory_without_the_right_to_write_is_denied() throws Exception {
    Files.createDirectory(root());
    Files.setAttribute(root(), "unix:mode", 0500);
    try (ChildJvm child =
        ChildJvm.withoutPrivileges(DirectorySinkChild.class, "put", root(), "a")) {
      assertEquals("DENIED", child.line());
    }
    Files.setAttribute(root(), "unix:mode", 0700);
    try (ChildJvm child =
        ChildJvm.withoutPrivileges(DirectorySinkChild.class, "put", root(), "a")) {
      assertEquals("done", child.line());
    }
  }

  @Test
  void any_directory_can_be_read_as_a_place_of_objects() throws Exception {
    Tree.file(root().resolve("tmp/x"), "1");
    Tree.file(root().resolve("b"), "2");
    try (ReadableStore store = DirectoryLocation.at(root()).open(StoreContext.system())) {
      assertEquals(List.of("b", "tmp/x"), names(store, ""));
      assertEquals("1", read(store, "tmp/x"));
    }
  }

  @Test
  void a_version_changes_with_the_bytes() throws Exception {
    Tree.file(root().resolve("a"), "1");
    try (ReadableStore store = DirectoryLocation.at(root()).open(StoreContext.system())) {
      String before = store.list("", PageToken.START).objects().get(0).version();
      Tree.touch(root().resolve("a"), 5);
      String after = store.list("", PageToken.START).objects().get(0).version();
      assertFalse(before.equals(after), before);
    }
  }

  @Test
  void a_closed_store_is_used_by_mistake_only() throws Exception {
    ObjectStore store = open();
    store.put(ObjectName.of("a"), body("x"));
    store.close();
    store.close();
    assertThrows(IllegalStateException.class, () -> store.put(ObjectName.of("b"), body("x")));
    assertEquals(1, Tree.of(root()).size());
  }
}
