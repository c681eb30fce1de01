package org.stellaops.backup.bundle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.internal.disk.FileAttributes;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarWriter;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoredObject;

/** A bundle as a file: written whole or not at all, read by ranges, and nothing of it believed. */
class BundleFileTest {
  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.parse("2026-11-20T02:00:00Z"));
  private static final long SEED = 20261122;

  @TempDir Path directory;

  private static Map<String, byte[]> objects(int... sizes) {
    Random random = new Random(SEED);
    Map<String, byte[]> objects = new LinkedHashMap<>();
    for (int size : sizes) {
      byte[] bytes = new byte[size];
      random.nextBytes(bytes);
      objects.put("w/host-a/" + "long".repeat(25) + "/" + size, bytes);
    }
    return objects;
  }

  private Path file() {
    return directory.resolve("medium/stellaops-backup-20261120.enc");
  }

  private BundleReport write(Medium medium, long volumeBytes, Map<String, byte[]> objects)
      throws IOException {
    Files.createDirectories(directory.resolve("medium"));
    try (BundleFile bundle = BundleFile.create(medium, file(), volumeBytes, CLOCK);
        ObjectStore store = bundle.sink().open(StoreContext.system())) {
      for (Map.Entry<String, byte[]> object : objects.entrySet()) {
        store.put(ObjectName.of(object.getKey()), ObjectBody.of(object.getValue()));
      }
      return bundle.publish();
    }
  }

  private BundleReport write(long volumeBytes, Map<String, byte[]> objects) throws IOException {
    return write(new DiskMedium(), volumeBytes, objects);
  }

  /** Everything in it but its checksums. */
  private static Map<String, byte[]> read(ReadableStore store) throws IOException {
    Map<String, byte[]> objects = new TreeMap<>();
    for (StoredObject object : store.list("", PageToken.START).objects()) {
      try (InputStream in = store.open(object.name(), ByteRange.ALL)) {
        objects.put(object.name().value(), in.readAllBytes());
      }
    }
    objects.remove("SHA256SUMS");
    return objects;
  }

  private Map<String, byte[]> read() throws IOException {
    try (ReadableStore store = OfflineBundle.at(file()).open(StoreContext.system())) {
      return read(store);
    }
  }

  private static void assertSameObjects(Map<String, byte[]> expected, Map<String, byte[]> found) {
    assertEquals(Set.copyOf(expected.keySet()), found.keySet());
    expected.forEach((name, bytes) -> assertArrayEquals(bytes, found.get(name), name));
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("medium"))) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  private static FailureCode codeOf(BackupException e) {
    return e.code();
  }

  private FailureCode refusal() {
    return codeOf(assertThrows(BackupException.class, this::read));
  }

  @ParameterizedTest
  @ValueSource(longs = {1024, 1536, 2000, 100_003, BundleFile.FAT32_BYTES})
  void what_was_put_is_read_back_whatever_the_size_of_volumes(long volumeBytes) throws Exception {
    Map<String, byte[]> objects = objects(0, 1, 511, 512, 513, 1024, 5000, 70_000);

    BundleReport report = write(volumeBytes, objects);

    assertSameObjects(objects, read());
    assertEquals(List.of(), OfflineBundle.at(file()).damage());
    assertEquals(objects.size(), report.objects());
    boolean isOne = report.volumes().size() == 1;
    assertEquals(isOne ? file() : Path.of(file() + ".001"), report.volumes().get(0).file());
    for (BundleReport.Volume volume : report.volumes()) {
      assertTrue(volume.sizeBytes() <= volumeBytes);
      assertEquals(Digest.ofContent(Files.readAllBytes(volume.file())), volume.digest());
    }
    assertEquals(report.volumes().size(), files().size(), "nothing else is left");
    assertEquals(
        report.volumes().stream().map(BundleReport.Volume::file).toList(),
        OfflineBundle.at(report.volumes().get(0).file()).files());
  }

  @Test
  void a_range_is_read_across_volumes() throws Exception {
    Map<String, byte[]> objects = objects(5000);
    write(1024, objects);
    byte[] all = objects.values().iterator().next();
    ObjectName name = ObjectName.of(objects.keySet().iterator().next());
    try (ReadableStore store = OfflineBundle.at(file()).open(StoreContext.system())) {
      for (int from : new int[] {0, 1, 400, 1023, 1024, 4999, 5000, 6000}) {
        for (int length : new int[] {0, 1, 1025, 4000, 9000}) {
          try (InputStream in = store.open(name, new ByteRange(from, length))) {
            int start = Math.min(from, 5000);
            int end = Math.min(5000, start + length);
            assertArrayEquals(
                Arrays.copyOfRange(all, start, end), in.readAllBytes(), from + "+" + length);
          }
        }
      }
    }
  }

  @Test
  void it_can_be_read_while_it_is_written() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    Map<String, byte[]> objects = objects(700, 3000);
    try (BundleFile bundle = BundleFile.create(new DiskMedium(), file(), 1024, CLOCK);
        ObjectStore store = bundle.sink().open(StoreContext.system())) {
      for (Map.Entry<String, byte[]> object : objects.entrySet()) {
        store.put(ObjectName.of(object.getKey()), ObjectBody.of(object.getValue()));
      }
      assertSameObjects(objects, read(store));
      assertSame(CoreFailure.BUNDLE_INCOMPLETE, refusal());
    }
    assertEquals(List.of(), files(), "one that was not published is removed");
  }

  @Test
  void a_body_that_fails_is_taken_back_and_can_be_put_again() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    Map<String, byte[]> objects = objects(600, 5000);
    ObjectName large = ObjectName.of(List.copyOf(objects.keySet()).get(1));
    byte[] bytes = objects.get(large.value());
    try (BundleFile bundle = BundleFile.create(new DiskMedium(), file(), 1024, CLOCK);
        ObjectStore store = bundle.sink().open(StoreContext.system())) {
      ObjectName small = ObjectName.of(List.copyOf(objects.keySet()).get(0));
      store.put(small, ObjectBody.of(objects.get(small.value())));
      for (int delivered : new int[] {0, 1, 300, 1500, 4999}) {
        ObjectBody failing = failing(bytes, delivered);
        assertThrows(UncheckedIOException.class, () -> store.put(large, failing));
      }
      store.put(large, ObjectBody.of(bytes));
      bundle.publish();
    }
    assertSameObjects(objects, read());
    assertEquals(List.of(), OfflineBundle.at(file()).damage());
  }

  private static ObjectBody failing(byte[] bytes, int delivered) {
    return new ObjectBody() {
      @Override
      public long lengthBytes() {
        return bytes.length;
      }

      @Override
      public Digest digest() {
        return Digest.ofContent(bytes);
      }

      @Override
      public InputStream open() {
        return new ByteArrayInputStream(bytes, 0, delivered) {
          @Override
          public synchronized int read(byte[] into, int offset, int length) {
            int n = super.read(into, offset, length);
            if (n < 0) {
              throw new UncheckedIOException(new IOException("connection reset"));
            }
            return n;
          }
        };
      }
    };
  }

  @Test
  void a_name_is_put_once_and_never_removed() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    try (BundleFile bundle = BundleFile.create(file());
        ObjectStore store = bundle.sink().open(StoreContext.system())) {
      ObjectName name = ObjectName.of("a");
      store.put(name, ObjectBody.of(new byte[1]));
      var again =
          assertThrows(
              BackupException.Sink.class, () -> store.put(name, ObjectBody.of(new byte[2])));
      assertSame(BackupException.Sink.Reason.ALREADY_EXISTS, again.reason());
      assertThrows(BackupException.Sink.class, () -> store.delete(name));
      ObjectName sign = ObjectName.of("beat/host-a/run-1");
      store.put(sign, ObjectBody.of(new byte[0]));
      assertEquals(1, store.list("beat/", PageToken.START).objects().size());
      store.delete(sign);
      assertEquals(0, store.list("beat/", PageToken.START).objects().size());
      bundle.publish();
    }
    assertEquals(Set.of("a"), read().keySet());
  }

  @Test
  void a_file_that_is_there_is_never_replaced() throws Exception {
    write(BundleFile.FAT32_BYTES, objects(1));
    assertSame(
        CoreFailure.BUNDLE_EXISTS,
        codeOf(assertThrows(BackupException.class, () -> BundleFile.create(file()))));
    Files.move(file(), Path.of(file() + ".001"));
    assertSame(
        CoreFailure.BUNDLE_EXISTS,
        codeOf(assertThrows(BackupException.class, () -> BundleFile.create(file()))));
    Files.move(Path.of(file() + ".001"), Path.of(file() + ".001.incomplete"));
    assertSame(
        CoreFailure.BUNDLE_EXISTS,
        codeOf(assertThrows(BackupException.class, () -> BundleFile.create(file()))));
    assertSame(CoreFailure.BUNDLE_INCOMPLETE, refusal());
  }

  @ParameterizedTest
  @ValueSource(strings = {".002", ".002.incomplete", ".017", ".999.incomplete"})
  void what_is_left_of_a_later_volume_is_refused_before_anything_is_written(String end)
      throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    Path left = Files.writeString(Path.of(file() + end), "left");
    var e = assertThrows(BackupException.class, () -> BundleFile.create(file()));
    assertSame(CoreFailure.BUNDLE_EXISTS, e.code());
    assertTrue(e.getMessage().contains(left.toString()), e::toString);
    assertEquals(List.of(left.getFileName().toString()), files());
  }

  @Test
  void files_of_other_names_are_no_volumes() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    for (String end : List.of(".0001", ".00a", ".001.bak", "-2.001", ".sha256")) {
      Files.writeString(Path.of(file() + end), "another's");
    }
    Map<String, byte[]> objects = objects(3000);
    write(1024, objects);
    assertSameObjects(objects, read());
  }

  @Test
  void of_two_that_begin_at_once_the_later_leaves_the_earlier_alone() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    Map<String, byte[]> objects = objects(700);
    ObjectName name = ObjectName.of(List.copyOf(objects.keySet()).get(0));
    List<BundleFile> earlier = new ArrayList<>();
    Medium late =
        new ForwardingMedium() {
          @Override
          public Handle create(Path file) throws IOException {
            earlier.add(BundleFile.create(file()));
            return super.create(file);
          }
        };
    assertSame(
        CoreFailure.BUNDLE_EXISTS,
        codeOf(
            assertThrows(
                BackupException.class, () -> BundleFile.create(late, file(), 1024, CLOCK))));
    try (BundleFile bundle = earlier.get(0);
        ObjectStore store = bundle.sink().open(StoreContext.system())) {
      store.put(name, ObjectBody.of(objects.get(name.value())));
      bundle.publish();
    }
    assertSameObjects(objects, read());
  }

  @Test
  void a_later_volume_that_is_anothers_stays_when_all_is_taken_back() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    Path others = Path.of(file() + ".002.incomplete");
    try (BundleFile bundle = BundleFile.create(file(), 1024);
        ObjectStore store = bundle.sink().open(StoreContext.system())) {
      Files.writeString(others, "another's");
      assertSame(
          CoreFailure.BUNDLE_EXISTS,
          codeOf(
              assertThrows(
                  BackupException.class,
                  () -> store.put(ObjectName.of("a"), ObjectBody.of(new byte[3000])))));
    }
    assertEquals("another's", Files.readString(others));
    assertEquals(1, files().size());
  }

  @Test
  void a_name_that_appears_while_it_is_renamed_stays() throws Exception {
    Medium raced =
        new ForwardingMedium() {
          @Override
          public void rename(Path from, Path to) throws IOException {
            Files.writeString(to, "another's");
            super.rename(from, to);
          }
        };
    var e =
        assertThrows(BackupException.class, () -> write(raced, BundleFile.FAT32_BYTES, objects(9)));
    assertSame(CoreFailure.BUNDLE_EXISTS, e.code());
    assertEquals("another's", Files.readString(file()));
    assertEquals(1, files().size());
  }

  @Test
  void a_bundle_that_was_begun_has_its_name_whatever_is_taken_back() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    try (BundleFile bundle = BundleFile.create(file(), 1024);
        ObjectStore store = bundle.sink().open(StoreContext.system())) {
      for (int attempt = 0; attempt < 2; attempt++) {
        List<String> one = List.of(file().getFileName() + ".001.incomplete");
        assertEquals(one, files());
        assertThrows(
            UncheckedIOException.class,
            () -> store.put(ObjectName.of("a"), failing(new byte[4000], 3000)));
        assertEquals(one, files());
      }
    }
    assertEquals(List.of(), files());
  }

  @ParameterizedTest
  @ValueSource(strings = {"full.001", "full.002", "full.999"})
  void a_bundle_is_not_called_like_a_volume(String name) throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    Path file = directory.resolve("medium").resolve(name);
    assertThrows(IllegalArgumentException.class, () -> BundleFile.create(file));
    assertEquals(List.of(), files());
  }

  @Test
  void a_file_and_volumes_of_the_same_name_are_two_bundles() throws Exception {
    write(1024, objects(3000));
    Path aside = directory.resolve("aside");
    Files.move(Path.of(file() + ".001"), aside);
    for (int number = 2; number <= 9; number++) {
      Files.deleteIfExists(Path.of(file() + ".00" + number));
    }
    write(BundleFile.FAT32_BYTES, objects(1));
    Files.move(aside, Path.of(file() + ".001"));

    assertSame(CoreFailure.SEVERAL_BUNDLES, refusal());
    for (Path named : List.of(file(), Path.of(file() + ".001"))) {
      var e = assertThrows(BackupException.class, () -> OfflineBundle.at(named).files());
      assertSame(CoreFailure.SEVERAL_BUNDLES, e.code());
      assertTrue(e.getMessage().contains(file() + ".001"), e::toString);
    }
  }

  @Test
  void a_later_volume_stands_for_its_bundle() throws Exception {
    write(1024, objects(3000));
    List<Path> second = List.of(Path.of(file() + ".002"));
    assertEquals(file().toString(), OfflineBundle.only(second).describe());
  }

  @Test
  void a_last_volume_that_is_longer_than_the_first_is_told() throws Exception {
    BundleReport report = write(1024, objects(3000));
    Path last = report.volumes().get(report.volumes().size() - 1).file();
    for (long bytes : new long[] {1025, 1L << 33, 15L << 40}) {
      setLength(last, bytes);
      var e = assertThrows(BackupException.Corrupt.class, this::read);
      assertSame(CoreFailure.TRUNCATED, e.code());
      assertTrue(e.getMessage().contains(last + " has " + bytes), e::toString);
    }
    setLength(Path.of(file() + ".001"), 0);
    assertSame(CoreFailure.TRUNCATED, refusal());
  }

  /** Volume 001 cut within a header that claims so much that its place is no number of volumes. */
  @ParameterizedTest
  @ValueSource(longs = {1, 511, 512, 513, 1024})
  void no_size_of_volumes_is_an_error_of_the_program(long firstBytes) throws Exception {
    long claimed = 3L << 39;
    Files.createDirectories(directory.resolve("medium"));
    Path first = Path.of(file() + ".001");
    try (var out = Files.newOutputStream(first)) {
      new TarWriter(to(out)).begin(TarMember.file("a", claimed, FileAttributes.plain(0600)));
    }
    setLength(first, firstBytes);
    for (long lastBytes : new long[] {0, 1, claimed, claimed + 4096}) {
      Path last = Path.of(file() + ".002");
      Files.deleteIfExists(last);
      Files.createFile(last);
      setLength(last, lastBytes);
      assertThrows(BackupException.Corrupt.class, this::read, firstBytes + " and " + lastBytes);
    }
  }

  private static void setLength(Path file, long bytes) throws IOException {
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(bytes);
    }
  }

  @Test
  void a_file_that_appears_meanwhile_stays_as_it_is() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    try (BundleFile bundle = BundleFile.create(file());
        ObjectStore store = bundle.sink().open(StoreContext.system())) {
      store.put(ObjectName.of("a"), ObjectBody.of(new byte[1]));
      Files.writeString(file(), "another's");
      assertSame(
          CoreFailure.BUNDLE_EXISTS, codeOf(assertThrows(BackupException.class, bundle::publish)));
    }
    assertEquals("another's", Files.readString(file()));
    assertEquals(1, files().size());
  }

  /** The law: after a fault there is a whole bundle, or nothing that is called like one. */
  @ParameterizedTest
  @EnumSource
  void one_fault_of_the_medium_leaves_a_whole_bundle_or_none(FaultyMedium.Fault fault)
      throws Exception {
    Map<String, byte[]> objects = objects(100, 3000);
    FaultyMedium good = new FaultyMedium(fault, Integer.MAX_VALUE);
    write(good, 2048, objects);
    int operations = good.operations.size();
    assertTrue(operations > 15, good.operations::toString);
    clear();
    int lost = 0;
    for (int failAt = 0; failAt < operations; failAt++) {
      FaultyMedium medium = new FaultyMedium(fault, failAt);
      var e = assertThrows(BackupException.class, () -> write(medium, 2048, objects));
      String which = "operation " + failAt + ": " + medium.operations + ": " + e;
      assertTrue(codeOf(e) == CoreFailure.MEDIUM_GONE || codeOf(e) == CoreFailure.SINK_FULL, which);
      FailureCode now = state(objects);
      assertTrue(
          now == CoreFailure.MEDIUM_GONE
              || (fault == FaultyMedium.Fault.GONE && now == CoreFailure.BUNDLE_INCOMPLETE)
              || (fault == FaultyMedium.Fault.GONE && failAt == operations - 1),
          () -> which + " leaves " + now);
      lost += files().isEmpty() ? 0 : 1;
      clear();
    }
    assertEquals(
        fault == FaultyMedium.Fault.GONE, lost > 0, "files stay where none can be removed");
  }

  /** Why it cannot be read; INTERNAL stands for a bundle that is whole. */
  private FailureCode state(Map<String, byte[]> objects) throws IOException {
    try {
      assertSameObjects(objects, read());
      return CoreFailure.INTERNAL;
    } catch (BackupException e) {
      return codeOf(e);
    }
  }

  private void clear() throws IOException {
    for (String file : files()) {
      Files.delete(directory.resolve("medium").resolve(file));
    }
  }

  @Test
  void a_medium_that_gives_back_other_bytes_is_found_before_the_bundle_has_a_name()
      throws Exception {
    Medium lying =
        new ForwardingMedium() {
          @Override
          public BundleReport.Reading reread(Path file, Bytes into) throws IOException {
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 1;
            into.take(bytes, bytes.length);
            return BundleReport.Reading.FROM_MEDIUM;
          }
        };
    var e =
        assertThrows(
            BackupException.Corrupt.class,
            () -> write(lying, BundleFile.FAT32_BYTES, objects(100)));
    assertSame(CoreFailure.CORRUPT_OBJECT, e.code());
    assertEquals(List.of(), files());
  }

  @Test
  void a_directory_that_vanishes_while_it_is_written_is_a_medium_that_is_gone() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    BundleFile bundle = BundleFile.create(file(), 1024);
    ObjectStore store = bundle.sink().open(StoreContext.system());
    store.put(ObjectName.of("a"), ObjectBody.of(new byte[100]));
    Files.move(directory.resolve("medium"), directory.resolve("pulled-out"));

    var e =
        assertThrows(
            BackupException.Sink.class,
            () -> store.put(ObjectName.of("b"), ObjectBody.of(new byte[5000])));
    assertSame(CoreFailure.MEDIUM_GONE, e.code());
    assertThrows(BackupException.class, bundle::publish);
    bundle.close();
    assertSame(CoreFailure.MEDIUM_GONE, refusal());
    assertFalse(Files.exists(file()));
  }

  @Test
  void whatever_is_cut_off_is_noticed() throws Exception {
    write(BundleFile.FAT32_BYTES, objects(0, 700));
    byte[] whole = Files.readAllBytes(file());
    for (int length = 0; length < whole.length; length += 64) {
      Files.write(file(), Arrays.copyOf(whole, length));
      FailureCode code = refusal();
      assertTrue(
          code == CoreFailure.TRUNCATED
              || (code == CoreFailure.NOT_A_BUNDLE && length < 512)
              || (length > whole.length - 1024 && code == CoreFailure.TRUNCATED),
          length + " of " + whole.length + ": " + code);
    }
  }

  @Test
  void a_flipped_bit_anywhere_is_noticed_without_a_key() throws Exception {
    write(BundleFile.FAT32_BYTES, objects(100, 700));
    byte[] whole = Files.readAllBytes(file());
    for (int at = 0; at < whole.length; at += 29) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 4;
      Files.write(file(), damaged);
      assertTrue(isDamaged(), "byte " + at);
    }
  }

  private boolean isDamaged() {
    try {
      return !OfflineBundle.at(file()).damage().isEmpty();
    } catch (BackupException e) {
      return true;
    }
  }

  @Test
  void a_volume_that_is_missing_is_named() throws Exception {
    BundleReport report = write(1024, objects(3000));
    int count = report.volumes().size();
    assertTrue(count > 4, report.toString());
    for (BundleReport.Volume volume : report.volumes()) {
      Path aside = directory.resolve("aside");
      Files.move(volume.file(), aside);
      var e = assertThrows(BackupException.class, this::read);
      assertSame(CoreFailure.VOLUME_MISSING, e.code(), volume.file() + ": " + e);
      Files.move(aside, volume.file());
    }
    assertEquals(1, read().size());
  }

  @Test
  void an_end_that_was_written_without_the_rest_is_no_bundle() throws Exception {
    archive(tar -> member(tar, "repository.json", "{}"));
    assertSame(CoreFailure.BUNDLE_INCOMPLETE, refusal());
    archive(tar -> member(tar, "SHA256SUMS", "# stella-backup bundle 2\n"));
    assertSame(CoreFailure.UNSUPPORTED_FORMAT, refusal());
    archive(
        tar -> {
          member(tar, "a", "");
          member(tar, "SHA256SUMS", "# stella-backup bundle 1\n");
        });
    assertSame(CoreFailure.MALFORMED, refusal());
    archive(
        tar ->
            member(
                tar,
                "SHA256SUMS",
                "# stella-backup bundle 1\n"
                    + Digest.ofContent(new byte[0]).hex()
                    + "  repository.json\n"));
    assertSame(CoreFailure.OBJECT_NOT_FOUND, refusal());
  }

  @Test
  void checksums_that_name_one_member_twice_and_another_never_are_refused() throws Exception {
    String a = Digest.ofContent(new byte[0]).hex() + "  a\n";
    String itself = Digest.ofContent(new byte[0]).hex() + "  SHA256SUMS\n";
    for (String lines : List.of(a + a, a + itself)) {
      archive(
          tar -> {
            member(tar, "a", "");
            member(tar, "b", "");
            member(tar, "SHA256SUMS", "# stella-backup bundle 1\n" + lines);
          });
      assertSame(CoreFailure.MALFORMED, refusal(), lines);
    }
  }

  @Test
  void a_hostile_archive_is_refused() throws Exception {
    for (String name : List.of("../a", "/a", "a/../b", "./a", "a//b", "a\\b", "a\nb")) {
      archive(tar -> member(tar, name, ""));
      assertSame(CoreFailure.MALFORMED, refusal(), name);
    }
    archive(
        tar -> {
          tar.begin(TarMember.link("a", "/etc/passwd", FileAttributes.plain(0600)));
          tar.end();
        });
    assertSame(CoreFailure.MALFORMED, refusal());
    archive(
        tar -> {
          tar.begin(TarMember.directory("a", FileAttributes.plain(0700)));
          tar.end();
        });
    assertSame(CoreFailure.MALFORMED, refusal());
    archive(
        tar -> {
          member(tar, "a", "1");
          member(tar, "a", "2");
        });
    assertSame(CoreFailure.MALFORMED, refusal());
    archive(
        tar ->
            member(
                tar, "SHA256SUMS", "# stella-backup bundle 1\n" + "x".repeat(10_000_000) + "\n"));
    assertSame(CoreFailure.MALFORMED, refusal());
  }

  @Test
  void a_member_that_claims_more_than_there_is_costs_nothing() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    try (var out = Files.newOutputStream(file())) {
      new TarWriter(to(out)).begin(TarMember.file("a", 1L << 50, FileAttributes.plain(0600)));
    }
    assertSame(CoreFailure.TRUNCATED, refusal());
  }

  @ParameterizedTest
  @ValueSource(strings = {"age-encryption.org/v1\n", "\u001f\u008b", "hello", ""})
  void what_is_no_bundle_is_told_by_its_first_bytes(String head) throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    Files.write(file(), head.getBytes(StandardCharsets.ISO_8859_1));
    var e = assertThrows(BackupException.Corrupt.class, this::read);
    assertSame(CoreFailure.NOT_A_BUNDLE, e.code());
    assertTrue(e.getMessage().contains(head.startsWith("age") ? "an age file" : ""), e::toString);
  }

  @Test
  void of_several_files_one_is_meant() throws Exception {
    write(1024, objects(3000));
    Path first = Path.of(file() + ".001");
    Path second = Path.of(file() + ".002");
    Path other = directory.resolve("medium/stellaops-backup-20261121.enc");
    assertEquals(file().toString(), OfflineBundle.only(List.of(first, second)).describe());
    assertEquals(2, OfflineBundle.each(List.of(first, second, other)).size());
    assertSame(
        CoreFailure.SEVERAL_BUNDLES,
        codeOf(
            assertThrows(BackupException.class, () -> OfflineBundle.only(List.of(first, other)))));
    assertSame(
        CoreFailure.NOT_FOUND,
        codeOf(assertThrows(BackupException.class, () -> OfflineBundle.only(List.of()))));
  }

  private interface Members {
    void write(TarWriter tar) throws IOException;
  }

  private void archive(Members members) throws IOException {
    Files.createDirectories(directory.resolve("medium"));
    try (var out = Files.newOutputStream(file())) {
      TarWriter tar = new TarWriter(to(out));
      members.write(tar);
      tar.finish();
    }
  }

  private static void member(TarWriter tar, String name, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    tar.begin(TarMember.file(name, bytes.length, FileAttributes.plain(0600)));
    tar.write(bytes, 0, bytes.length);
    tar.end();
  }

  private static ArtifactOutput to(OutputStream out) {
    return new ArtifactOutput() {
      @Override
      public void boundary() {}

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        out.write(bytes, offset, length);
      }
    };
  }

  /** A disk of which something is different. */
  private static class ForwardingMedium implements Medium {
    private final Medium disk = new DiskMedium();

    @Override
    public Handle create(Path file) throws IOException {
      return disk.create(file);
    }

    @Override
    public Handle append(Path file) throws IOException {
      return disk.append(file);
    }

    @Override
    public boolean exists(Path file) throws IOException {
      return disk.exists(file);
    }

    @Override
    public BundleReport.Reading reread(Path file, Bytes into) throws IOException {
      return disk.reread(file, into);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
      disk.rename(from, to);
    }

    @Override
    public void syncDirectory(Path at) throws IOException {
      disk.syncDirectory(at);
    }

    @Override
    public void delete(Path file) throws IOException {
      disk.delete(file);
    }
  }

  @Test
  void a_put_of_the_wrong_bytes_is_refused() throws Exception {
    Files.createDirectories(directory.resolve("medium"));
    List<byte[]> bodies = new ArrayList<>(List.of(new byte[9], new byte[11], new byte[10]));
    bodies.get(2)[3] = 1;
    try (BundleFile bundle = BundleFile.create(file());
        ObjectStore store = bundle.sink().open(StoreContext.system())) {
      for (byte[] body : bodies) {
        assertThrows(
            BackupException.Sink.class,
            () ->
                store.put(
                    ObjectName.of("a"),
                    new ObjectBody() {
                      @Override
                      public long lengthBytes() {
                        return 10;
                      }

                      @Override
                      public Digest digest() {
                        return Digest.ofContent(new byte[10]);
                      }

                      @Override
                      public InputStream open() {
                        return new ByteArrayInputStream(body);
                      }
                    }));
      }
      bundle.publish();
    }
    assertEquals(Set.of(), read().keySet());
  }
}
