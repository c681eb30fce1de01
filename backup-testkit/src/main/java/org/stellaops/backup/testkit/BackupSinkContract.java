package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoredObject;

/**
 * What every {@link BackupSink} and the {@link ObjectStore} it opens have to do. A subclass says
 * how to make a sink:
 *
 * <pre>{@code
 * class MySinkTest extends BackupSinkContract {
 *   @Override
 *   protected BackupSink newSink() {
 *     return new MySink(anEmptyBucket());
 *   }
 * }
 * }</pre>
 */
@SuppressWarnings("NullAway.Init") // JUnit calls prepare before each test
public abstract class BackupSinkContract {
  private static final int THREADS = 8;
  private static final int RACES = 20;

  /** Around the sizes of buffers, pages and parts that stores are written with. */
  private static final List<Integer> SIZES =
      List.of(0, 1, 4095, 4096, 8193, 65_535, 65_537, (5 << 20) + 1);

  private static final ObjectName NAME = ObjectName.of("some/object");

  private BackupSink sink;
  private ObjectStore store;

  /** For subclasses. */
  protected BackupSinkContract() {}

  /** A sink that holds no objects; every call gives one of its own. */
  protected abstract BackupSink newSink() throws Exception;

  /**
   * Fails if something that the sink opened is still open. Called after each test, when the test
   * has closed its stores and streams. Does nothing unless overridden: {@link OpenFiles} may help.
   */
  protected void assertNothingOpen(BackupSink tested) throws Exception {}

  /**
   * Legal names that some store will stumble over. Overridden only where the place itself cannot
   * hold some of them: a file system that does not tell case apart.
   */
  protected List<String> awkwardNames() {
    return List.of(
        ".hidden",
        "..hidden",
        "trailing.",
        "trailing /space ",
        " leading",
        "-rf",
        "~root",
        "a b+c",
        "%2F%2e%2e",
        "q?x=1&y=2#z",
        "*[a-z]{x,y}",
        "quote'\"`$HOME",
        "con/nul.txt:stream",
        "pipe|<less>",
        "Case",
        "case",
        "\u00e9 composed",
        "e\u0301 decomposed",
        "\u65e5\u672c/\ud83d\udd12",
        "tmp",
        "x.tmp",
        "a".repeat(121),
        "b".repeat(200) + "/c",
        "d".repeat(255),
        ("e".repeat(203) + "/").repeat(4) + "f".repeat(200));
  }

  /**
   * Legal names that the sink keeps for itself and so refuses: a directory for temporary files.
   * None unless overridden. Each costs whoever copies a foreign bucket into the sink.
   */
  protected Set<String> reservedNames() {
    return Set.of();
  }

  /** Opens the sink of the test. */
  @BeforeEach
  public void prepare() throws Exception {
    sink = newSink();
    store = sink.open(StoreContext.system());
  }

  /** Closes the store of the test. */
  @AfterEach
  public void cleanUp() throws Exception {
    store.close();
    assertNothingOpen(sink);
  }

  @Test
  public void what_is_put_can_be_read() throws Exception {
    for (int size : SIZES) {
      byte[] bytes = SeededBytes.of(size, size);
      ObjectName name = ObjectName.of("sizes/" + size);

      put(name, bytes);

      assertArrayEquals(bytes, read(name), "object of " + size + " bytes");
    }
  }

  @Test
  public void what_is_not_there_is_not_found() throws Exception {
    assertReason(Reason.NOT_FOUND, () -> store.open(NAME, ByteRange.ALL).close());
    assertReason(Reason.NOT_FOUND, () -> store.open(NAME, new ByteRange(0, 0)).close());

    put(ObjectName.of("some/object/below"), new byte[1]);
    assertReason(Reason.NOT_FOUND, () -> store.open(ObjectName.of("some"), ByteRange.ALL).close());
    assertReason(Reason.NOT_FOUND, () -> store.open(NAME, ByteRange.ALL).close());
  }

  @Test
  public void a_range_gives_its_bytes_and_no_more() throws Exception {
    byte[] bytes = SeededBytes.of(2, 100_000);
    put(NAME, bytes);

    for (long offset : new long[] {0, 1, 4096, 50_000, 99_999, 100_000, 100_001, Long.MAX_VALUE}) {
      for (long length : new long[] {0, 1, 4095, 50_000, 100_000, 100_001, Long.MAX_VALUE}) {
        int from = (int) Math.min(offset, bytes.length);
        int to = (int) new ByteRange(offset, length).endIn(bytes.length);

        byte[] found = read(NAME, new ByteRange(offset, length));

        assertArrayEquals(
            Arrays.copyOfRange(bytes, from, to), found, "range " + offset + "+" + length);
      }
    }
  }

  @Test
  public void a_range_of_an_empty_object_is_empty() throws Exception {
    put(NAME, new byte[0]);

    assertEquals(0, read(NAME).length);
    assertEquals(0, read(NAME, new ByteRange(0, 1)).length);
    assertEquals(0, read(NAME, new ByteRange(1, 1)).length);
  }

  @Test
  public void a_stream_that_is_given_up_half_way_disturbs_nothing() throws Exception {
    byte[] bytes = SeededBytes.of(3, 1 << 20);
    put(NAME, bytes);

    try (InputStream in = store.open(NAME, ByteRange.ALL)) {
      assertEquals(100, in.readNBytes(100).length);
    }

    assertArrayEquals(bytes, read(NAME));
  }

  @Test
  public void an_object_is_never_replaced() throws Exception {
    byte[] bytes = SeededBytes.of(4, 1000);
    put(NAME, bytes);

    assertReason(Reason.ALREADY_EXISTS, () -> put(NAME, bytes));
    assertReason(Reason.ALREADY_EXISTS, () -> put(NAME, SeededBytes.of(5, 1000)));
    assertReason(Reason.ALREADY_EXISTS, () -> put(NAME, new byte[0]));
    assertReason(Reason.ALREADY_EXISTS, () -> put(NAME, new byte[5000]));

    assertArrayEquals(bytes, read(NAME));
  }

  @Test
  public void of_concurrent_puts_of_one_name_exactly_one_wins() throws Exception {
    assertTrue(
        store.traits().isCreateExclusive(),
        "a store that is not create-exclusive cannot commit, and is no sink but a place for copies");
    for (int race = 0; race < RACES; race++) {
      ObjectName name = ObjectName.of("races/" + race);
      List<Integer> winners = raceFor(name);

      assertEquals(1, winners.size(), "winners of race " + race + ": " + winners);
      assertArrayEquals(racer(winners.get(0)), read(name), "race " + race);
    }
  }

  @Test
  public void concurrent_puts_of_different_names_all_succeed() throws Exception {
    List<Callable<ObjectName>> puts = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      ObjectName name = ObjectName.of("new/folder/object-" + i);
      byte[] bytes = racer(i);
      puts.add(
          () -> {
            put(name, bytes);
            return name;
          });
    }

    List<ObjectName> names = Crowd.run(puts);

    for (int i = 0; i < THREADS; i++) {
      assertArrayEquals(racer(i), read(names.get(i)));
    }
    assertEquals(Set.copyOf(names), list("").keySet());
  }

  @Test
  public void one_object_can_be_read_by_many_threads() throws Exception {
    byte[] bytes = SeededBytes.of(6, 300_000);
    put(NAME, bytes);

    List<byte[]> found = Crowd.run(Collections.nCopies(THREADS, () -> read(NAME)));

    found.forEach(f -> assertArrayEquals(bytes, f));
  }

  @Test
  public void a_deleted_object_is_gone_and_its_name_is_free() throws Exception {
    put(NAME, new byte[] {1});
    put(ObjectName.of("some/other"), new byte[] {2});

    store.delete(NAME);

    assertReason(Reason.NOT_FOUND, () -> store.open(NAME, ByteRange.ALL).close());
    assertEquals(Set.of(ObjectName.of("some/other")), list("").keySet());
    put(NAME, new byte[] {3});
    assertArrayEquals(new byte[] {3}, read(NAME));
  }

  @Test
  public void deleting_what_is_not_there_does_nothing() throws Exception {
    put(ObjectName.of("some/object/below"), new byte[] {1});

    store.delete(NAME);
    store.delete(ObjectName.of("some"));
    store.delete(ObjectName.of("none/at/all"));

    assertArrayEquals(new byte[] {1}, read(ObjectName.of("some/object/below")));
  }

  @Test
  public void a_listing_shows_every_object_once_with_its_length() throws Exception {
    Map<ObjectName, Long> expected = new TreeMap<>();
    for (int i = 0; i < 50; i++) {
      ObjectName name = ObjectName.of("d" + i % 5 + "/x/" + i);
      put(name, new byte[i]);
      expected.put(name, (long) i);
    }

    assertEquals(expected, list(""));
  }

  @Test
  public void an_empty_sink_lists_nothing() throws Exception {
    assertEquals(Map.of(), list(""));
    assertEquals(Map.of(), list("any/prefix"));
  }

  @Test
  public void a_prefix_is_text_and_nothing_else() throws Exception {
    List<String> names =
        List.of("a/b/1", "a/b/2", "a/bc", "a/b2/3", "ab", "a*", "a_x", "a%y", "a[1]", "A/b");
    for (String name : names) {
      put(ObjectName.of(name), new byte[1]);
    }

    List<String> prefixes =
        List.of(
            "", "a", "a/", "a/b", "a/b/", "a/bc", "a/b/1", "a/b/1x", "a/b/1/", "a*", "a_", "a%",
            "a[", "a?", "A", "b", "/", "/a", "./a", "../", "a/../a", "..");
    for (String prefix : prefixes) {
      Set<String> expected = new HashSet<>(names);
      expected.removeIf(n -> !n.startsWith(prefix));

      Set<String> found = new HashSet<>();
      list(prefix).keySet().forEach(n -> found.add(n.value()));

      assertEquals(expected, found, "prefix '" + prefix + "'");
    }
  }

  @Test
  public void a_page_can_be_asked_for_again() throws Exception {
    for (int i = 0; i < 30; i++) {
      put(ObjectName.of("o/" + i), new byte[1]);
    }

    PageToken token = PageToken.START;
    while (!token.equals(PageToken.END)) {
      ObjectPage page = store.list("o/", token);
      assertEquals(page, store.list("o/", token));
      token = page.next();
    }
  }

  @Test
  public void a_listing_that_others_put_into_and_delete_from_shows_all_that_stays()
      throws Exception {
    Set<ObjectName> staying = new HashSet<>();
    for (int i = 0; i < 40; i++) {
      ObjectName name = ObjectName.of("p/" + i);
      put(name, new byte[1]);
      if (i % 4 != 0) {
        staying.add(name);
      }
    }

    List<ObjectName> seen = new ArrayList<>();
    PageToken token = PageToken.START;
    for (int n = 0; !token.equals(PageToken.END); n++) {
      ObjectPage page = store.list("p/", token);
      page.objects().forEach(o -> seen.add(o.name()));
      token = page.next();
      if (n < 40) {
        store.delete(ObjectName.of("p/" + n * 4 % 40));
        put(ObjectName.of("p/new-" + n), new byte[1]);
      }
    }

    for (ObjectName name : staying) {
      assertEquals(1, Collections.frequency(seen, name), "times " + name + " is shown");
    }
  }

  @Test
  public void a_version_changes_with_the_bytes() throws Exception {
    put(NAME, new byte[] {1});
    String before = row(NAME).version();
    assertEquals(before, row(NAME).version());

    store.delete(NAME);
    put(NAME, new byte[] {2});

    assertTrue(before.isEmpty() || !before.equals(row(NAME).version()), "version " + before);
  }

  @Test
  public void awkward_names_survive() throws Exception {
    Map<ObjectName, Long> expected = new TreeMap<>();
    List<String> names = new ArrayList<>(awkwardNames());
    names.removeAll(reservedNames());
    for (String awkward : names) {
      ObjectName name = ObjectName.of(awkward);
      put(name, SeededBytes.of(expected.size(), expected.size()));
      expected.put(name, (long) expected.size());
    }

    assertEquals(expected, list(""));
    for (Map.Entry<ObjectName, Long> entry : expected.entrySet()) {
      int n = entry.getValue().intValue();
      assertArrayEquals(SeededBytes.of(n, n), read(entry.getKey()), entry.getKey().value());
    }
    for (ObjectName name : expected.keySet()) {
      store.delete(name);
    }
    assertEquals(Map.of(), list(""));
  }

  @Test
  public void a_reserved_name_is_refused_and_never_shown() throws Exception {
    put(NAME, new byte[] {1});
    for (String reserved : reservedNames()) {
      ObjectName name = ObjectName.of(reserved);

      assertReason(Reason.REFUSED, () -> put(name, new byte[] {2}));

      assertThrows(BackupException.Sink.class, () -> store.open(name, ByteRange.ALL), reserved);
    }
    assertEquals(Set.of(NAME), list("").keySet());
  }

  @Test
  public void a_name_that_could_leave_the_sink_is_no_name() {
    List<String> names =
        List.of(
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "a/./b",
            "nul\0",
            "line\n",
            "a\\b",
            "x".repeat(256),
            "y/".repeat(512) + "z");
    for (String name : names) {
      assertThrows(
          IllegalArgumentException.class, () -> ObjectName.of(name), "name '" + name + "'");
    }
  }

  @Test
  public void a_body_that_fails_leaves_nothing() throws Exception {
    byte[] bytes = SeededBytes.of(7, 200_000);
    for (int count : new int[] {0, 1, 100_000, 200_000}) {
      for (Exception failure : List.of(new IOException("lost"), new IllegalStateException("bug"))) {
        var body = ContractBody.failing(bytes, count, failure);

        assertThrows(Exception.class, () -> store.put(NAME, body), count + " bytes, " + failure);

        assertAbsent(NAME, body, "after " + count + " bytes and " + failure);
      }
    }
    put(NAME, bytes);
    assertArrayEquals(bytes, read(NAME));
  }

  @Test
  public void a_body_that_is_not_what_it_says_is_refused() throws Exception {
    byte[] announced = SeededBytes.of(8, 70_000);
    byte[] flipped = announced.clone();
    flipped[69_999] ^= 1;
    List<ContractBody> lies =
        List.of(
            ContractBody.lying(announced, Arrays.copyOf(announced, 69_999)),
            ContractBody.lying(announced, new byte[0]),
            ContractBody.lying(announced, Arrays.copyOf(announced, 70_001)),
            ContractBody.lying(announced, flipped),
            ContractBody.lying(new byte[0], new byte[1]),
            ContractBody.ofWrongDigest(announced, Arrays.copyOf(announced, 10)));
    for (ContractBody lie : lies) {
      String which = "lie " + lies.indexOf(lie);

      assertThrows(Exception.class, () -> store.put(NAME, lie), which);

      assertAbsent(NAME, lie, which);
    }
  }

  @Test
  public void the_streams_of_a_body_are_closed() throws Exception {
    var first = ContractBody.honest(SeededBytes.of(9, 100_000));
    store.put(NAME, first);
    var second = ContractBody.honest(SeededBytes.of(10, 100_000));
    assertReason(Reason.ALREADY_EXISTS, () -> store.put(NAME, second));

    assertEquals(List.of(), first.openStreams());
    assertEquals(List.of(), second.openStreams());
  }

  @Test
  public void a_second_store_of_the_sink_sees_the_same_objects() throws Exception {
    put(NAME, new byte[] {1});
    try (ObjectStore second = sink.open(StoreContext.system())) {
      try (InputStream in = second.open(NAME, ByteRange.ALL)) {
        assertArrayEquals(new byte[] {1}, in.readAllBytes());
      }
      ObjectName other = ObjectName.of("other");
      second.put(other, ObjectBody.of(new byte[] {2}));
      second.delete(NAME);

      assertArrayEquals(new byte[] {2}, read(other));
      assertEquals(Set.of(other), list("").keySet());
    }
  }

  @Test
  public void objects_stay_when_the_store_is_closed() throws Exception {
    put(NAME, new byte[] {1});
    store.close();

    store = sink.open(StoreContext.system());

    assertArrayEquals(new byte[] {1}, read(NAME));
  }

  @Test
  public void closing_twice_does_nothing_more() throws Exception {
    put(NAME, new byte[] {1});

    store.close();
    store.close();

    store = sink.open(StoreContext.system());
    assertEquals(Set.of(NAME), list("").keySet());
  }

  @Test
  public void a_sink_says_where_it_is_and_what_can_be_relied_on() throws Exception {
    String before = sink.describe();
    put(NAME, new byte[] {1});

    assertFalse(before.isBlank());
    assertEquals(before, sink.describe());
    assertEquals(store.traits(), store.traits());
    assertTrue(store.traits().maxObjectBytes() >= 5 << 20, store.traits().toString());
    assertNotEquals(null, store.traits().labels());
  }

  private List<Integer> raceFor(ObjectName name) throws Exception {
    List<Callable<Boolean>> puts = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      byte[] bytes = racer(i);
      puts.add(() -> wins(name, bytes));
    }
    List<Boolean> won = Crowd.run(puts);
    List<Integer> winners = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      if (won.get(i)) {
        winners.add(i);
      }
    }
    return winners;
  }

  private boolean wins(ObjectName name, byte[] bytes) throws IOException {
    try {
      put(name, bytes);
      return true;
    } catch (BackupException.Sink e) {
      assertEquals(Reason.ALREADY_EXISTS, e.reason(), e.getMessage());
      return false;
    }
  }

  private static byte[] racer(int number) {
    return SeededBytes.of(number, 20_000 + number);
  }

  private void assertAbsent(ObjectName name, ContractBody body, String when) throws Exception {
    assertEquals(List.of(), body.openStreams(), when);
    assertEquals(Map.of(), list(""), when);
    assertReason(Reason.NOT_FOUND, () -> store.open(name, ByteRange.ALL).close());
  }

  private static void assertReason(Reason expected, Action action) {
    var e = assertThrows(BackupException.Sink.class, action::run);
    assertEquals(expected, e.reason(), e.getMessage());
  }

  private void put(ObjectName name, byte[] bytes) throws IOException {
    store.put(name, ObjectBody.of(bytes));
  }

  private byte[] read(ObjectName name) throws IOException {
    return read(name, ByteRange.ALL);
  }

  private byte[] read(ObjectName name, ByteRange range) throws IOException {
    try (InputStream in = store.open(name, range)) {
      return in.readAllBytes();
    }
  }

  private StoredObject row(ObjectName name) throws IOException {
    return rows(name.value()).get(0);
  }

  private Map<ObjectName, Long> list(String prefix) throws IOException {
    Map<ObjectName, Long> found = new TreeMap<>();
    for (StoredObject row : rows(prefix)) {
      assertEquals(null, found.put(row.name(), row.lengthBytes()), row.name() + " is shown twice");
    }
    return found;
  }

  private List<StoredObject> rows(String prefix) throws IOException {
    List<StoredObject> rows = new ArrayList<>();
    PageToken token = PageToken.START;
    while (!token.equals(PageToken.END)) {
      ObjectPage page = store.list(prefix, token);
      rows.addAll(page.objects());
      token = page.next();
    }
    return rows;
  }

  private interface Action {
    void run() throws IOException;
  }
}
