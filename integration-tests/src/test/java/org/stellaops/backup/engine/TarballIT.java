package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Locations;
import org.stellaops.backup.bundle.HandMadeBackup;
import org.stellaops.backup.bundle.TarballReport;
import org.stellaops.backup.bundle.TarballReport.Kind;
import org.stellaops.backup.bundle.TarballRequest;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.secrets.SecretSource;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.testkit.MemorySink;

/** A snapshot as a tarball, and tarballs of whoever unpacked and compared. */
class TarballIT {
  private static final SnapshotRef NIGHTLY = SnapshotRef.named("nightly");
  private static final long MOST = 100 << 20;

  @TempDir Path directory;

  private Fixture fixture;
  private byte[] dump;

  @BeforeEach
  void oneSnapshot() throws IOException {
    fixture = new Fixture(directory);
    dump = Fixture.random(7, 300_000);
    byte[] magic = {0x6d, (byte) 0xe2, (byte) 0x99, (byte) 0x81};
    System.arraycopy(magic, 0, dump, 0, magic.length);
    Path etc = Files.createDirectories(directory.resolve("service/etc"));
    Files.writeString(etc.resolve("issuer-directory.yaml"), "workers: 4\n");
    Files.createDirectories(directory.resolve("service/data"));
    Files.writeString(directory.resolve("service/data/csaf-publishers.json"), "[]");
    Files.writeString(directory.resolve("service/data/empty"), "");
    Path env = directory.resolve(".env");
    Files.writeString(env, "MONGO=mongodb://issuer:canary@db/issuers\nOTHER=1\n");
    try (BackupEngine engine =
        BackupEngine.open(
            fixture
                .plan("database", BytesSource.of("issuer-directory.archive", dump))
                .source("config", FileSource.in(directory.resolve("service")))
                .source("secrets", SecretSource.dotenv(env, "MONGO"))
                .build())) {
      engine.backup(BackupRequest.full().named("nightly")).requireGood();
    }
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  private TarballReport export(TarballRequest request) throws IOException {
    try (BackupRepository repository = fixture.repository()) {
      return repository.exportTarball(request);
    }
  }

  private Path file() {
    return directory.resolve("latest-full.tar.gz");
  }

  private Path out() {
    return directory.resolve("out");
  }

  private FailureCode refusal(AgeIdentity... by) {
    FailureCode code =
        assertThrows(BackupException.class, () -> HandMadeBackup.at(file()).unpack(out(), MOST, by))
            .code();
    assertFalse(Files.exists(out()));
    assertEquals(List.of(), unfinished());
    return code;
  }

  /** What is still called unfinished. */
  private List<String> unfinished() {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(name -> name.endsWith(".incomplete"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void what_is_exported_is_unpacked_and_compared() throws Exception {
    TarballReport exported =
        export(
            TarballRequest.encrypted(NIGHTLY, file(), fixture.owner.recipient())
                .named("secrets", "secrets.env", "issuer-directory.mongo.secret"));

    TarballReport unpacked = HandMadeBackup.at(file()).unpack(out(), MOST, fixture.owner);

    assertEquals(exported.members(), unpacked.members());
    assertEquals(List.of(), unpacked.findings());
    assertTrue(unpacked.members().stream().allMatch(TarballReport.Member::isCompared));
    TreeMap<String, TarballReport.Member> members = new TreeMap<>();
    unpacked.members().forEach(m -> members.put(m.name(), m));
    String archive = members.keySet().stream().filter(n -> n.endsWith(".gz")).findFirst().get();
    assertTrue(archive.matches("issuer-directory-[0-9]{8}T[0-9]{6}Z\\.gz"), archive);
    assertSame(Kind.MONGODUMP_ARCHIVE_GZIP, members.get(archive).kind());
    assertEquals(
        List.of(
            "csaf-publishers.json",
            "empty",
            archive,
            "issuer-directory.mongo.secret",
            "issuer-directory.yaml"),
        List.copyOf(members.keySet()));
    try (var plain = new GZIPInputStream(Files.newInputStream(out().resolve(archive)))) {
      assertArrayEquals(dump, plain.readAllBytes());
    }
    assertEquals("workers: 4\n", Files.readString(out().resolve("issuer-directory.yaml")));
    assertEquals(
        "MONGO=mongodb://issuer:canary@db/issuers\n",
        Files.readString(out().resolve("issuer-directory.mongo.secret")));
    for (Path file : List.of(file(), out().resolve("issuer-directory.mongo.secret"))) {
      assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }
  }

  @Test
  void nothing_is_plain_in_an_encrypted_one() throws Exception {
    export(TarballRequest.encrypted(NIGHTLY, file(), fixture.owner.recipient()));
    String stored = Files.readString(file(), StandardCharsets.ISO_8859_1);
    assertTrue(stored.startsWith("age-encryption.org/v1\n"));
    assertFalse(stored.contains("canary"));
    try (Stream<Path> files = Files.walk(directory)) {
      List<Path> plain =
          files
              .filter(f -> Files.isRegularFile(f) && !f.endsWith(".env"))
              .filter(TarballIT::holdsCanary)
              .toList();
      assertEquals(List.of(), plain);
    }
  }

  private static boolean holdsCanary(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1).contains("canary");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_file_that_is_there_is_replaced_only_when_asked_for() throws Exception {
    TarballRequest request = TarballRequest.plain(NIGHTLY, file());
    export(request);
    byte[] first = Files.readAllBytes(file());
    assertSame(
        CoreFailure.BUNDLE_EXISTS,
        assertThrows(BackupException.class, () -> export(request)).code());
    export(request.replacing());
    assertArrayEquals(first, Files.readAllBytes(file()), "the same snapshot gives the same bytes");
    HandMadeBackup.at(file()).unpack(out(), MOST);
    assertSame(
        CoreFailure.BUNDLE_EXISTS,
        assertThrows(BackupException.class, () -> HandMadeBackup.at(file()).unpack(out(), MOST))
            .code());
  }

  @Test
  void two_members_of_one_name_are_refused_before_anything_is_written() throws Exception {
    assertSame(
        CoreFailure.NAME_CONFLICT,
        assertThrows(
                BackupException.class,
                () ->
                    export(
                        TarballRequest.plain(NIGHTLY, file())
                            .named("secrets", "secrets.env", "empty")))
            .code());
    assertFalse(Files.exists(file()));
  }

  @Test
  void wrong_keys_damage_and_truncation_are_told_apart() throws Exception {
    export(TarballRequest.encrypted(NIGHTLY, file(), fixture.owner.recipient()));
    byte[] whole = Files.readAllBytes(file());
    assertSame(CoreFailure.KEY_UNAVAILABLE, refusal());
    try (AgeIdentity stranger = AgeIdentity.generate()) {
      assertSame(CoreFailure.WRONG_KEY, refusal(stranger));
    }
    Files.write(file(), Arrays.copyOf(whole, whole.length - 100_000));
    assertSame(CoreFailure.TRUNCATED, refusal(fixture.owner));
    byte[] damaged = whole.clone();
    damaged[whole.length / 2] ^= 1;
    Files.write(file(), damaged);
    assertSame(CoreFailure.CORRUPT_OBJECT, refusal(fixture.owner));
    Files.writeString(file(), "age-encryption.org/v2\n-> X25519 a\n");
    assertSame(CoreFailure.UNSUPPORTED_FORMAT, refusal(fixture.owner));
    Files.delete(file());
    assertSame(CoreFailure.MEDIUM_GONE, refusal(fixture.owner));
  }

  @Test
  void a_plain_one_that_is_cut_off_anywhere_is_truncated() throws Exception {
    export(TarballRequest.plain(NIGHTLY, file()));
    byte[] whole = Files.readAllBytes(file());
    for (int length = 1000; length < whole.length; length += whole.length / 20) {
      Files.write(file(), Arrays.copyOf(whole, length));
      assertSame(CoreFailure.TRUNCATED, refusal(), length + " of " + whole.length);
    }
    Files.write(file(), Arrays.copyOf(whole, whole.length - 1));
    assertSame(CoreFailure.TRUNCATED, refusal());
  }

  @Test
  void what_was_exchanged_before_it_was_packed_again_is_found() throws Exception {
    String digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    Files.write(file(), tarball(List.of(entry("a", "x"), entry("SHA256SUMS", digest + "  a\n"))));
    assertSame(CoreFailure.CORRUPT_OBJECT, refusal());
    Files.write(file(), tarball(List.of(entry("SHA256SUMS", digest + "  a\n"))));
    assertSame(CoreFailure.OBJECT_NOT_FOUND, refusal());
    Files.write(
        file(),
        tarball(
            List.of(entry("./a", ""), entry("./b", "1"), entry("SHA256SUMS", digest + " *a\n"))));
    TarballReport report = HandMadeBackup.at(file()).unpack(out(), MOST);
    assertEquals(List.of("b"), report.findings().stream().map(f -> f.subject()).toList());
    assertSame(CoreFailure.NOT_COMPARED, report.findings().get(0).code());
  }

  @Test
  void a_hostile_tarball_is_refused() throws Exception {
    for (String name : List.of("../a", "a/../../b", "a//b")) {
      Files.write(file(), tarball(List.of(entry(name, "x"))));
      assertSame(CoreFailure.MALFORMED, refusal(), name);
    }
    TarArchiveEntry absolute = new TarArchiveEntry("/etc/evil", true);
    absolute.setSize(0);
    Files.write(file(), tarball(List.of(new Member(absolute, new byte[0]))));
    assertSame(CoreFailure.MALFORMED, refusal());
    for (byte type :
        new byte[] {TarConstants.LF_SYMLINK, TarConstants.LF_LINK, TarConstants.LF_CHR}) {
      TarArchiveEntry link = new TarArchiveEntry("a", type);
      link.setLinkName("/etc/passwd");
      Files.write(file(), tarball(List.of(new Member(link, new byte[0]))));
      assertSame(CoreFailure.MALFORMED, refusal());
    }
    Files.write(file(), tarball(List.of(entry("a", "1"), entry("./a", "2"))));
    assertSame(CoreFailure.MALFORMED, refusal());
  }

  @Test
  void what_unpacks_to_more_than_was_allowed_is_refused() throws Exception {
    Files.write(file(), tarball(List.of(entry("a", "x".repeat(5_000_000)))));
    assertTrue(Files.size(file()) < 50_000);
    var e =
        assertThrows(
            BackupException.class, () -> HandMadeBackup.at(file()).unpack(out(), 1_000_000));
    assertTrue(
        List.of(CoreFailure.TOO_LARGE, CoreFailure.MALFORMED).contains((CoreFailure) e.code()),
        e::toString);
    assertFalse(Files.exists(out()));
  }

  @Test
  void a_name_says_nothing_and_the_first_bytes_everything() throws Exception {
    for (String text : List.of("", "hello", "PK\u0003\u0004")) {
      Files.writeString(file(), text);
      assertSame(CoreFailure.NOT_A_BUNDLE, refusal(), text);
    }
    export(TarballRequest.plain(NIGHTLY, file()).replacing());
    Path other = directory.resolve("backup.zip");
    Files.move(file(), other);
    assertEquals(5, HandMadeBackup.at(other).unpack(out(), MOST).members().size());
  }

  @Test
  void long_names_in_the_format_of_gnu_tar_are_read() throws Exception {
    String name = "d".repeat(90) + "/" + "f".repeat(120);
    Files.write(file(), tarball(List.of(entry(name, "x"))));
    HandMadeBackup.at(file()).unpack(out(), MOST);
    assertEquals("x", Files.readString(out().resolve(name)));
  }

  @Test
  void the_limit_is_of_the_content_and_not_of_the_archive() throws Exception {
    Files.write(file(), tarball(List.of(entry("a", "x".repeat(700)), entry("b/c", "y"))));
    assertSame(
        CoreFailure.TOO_LARGE,
        codeOf(() -> HandMadeBackup.at(file()).unpack(out(), 700), "more than 700 bytes"));
    assertSame(
        CoreFailure.TOO_LARGE,
        codeOf(() -> HandMadeBackup.at(file()).unpack(out(), 699), "more than 699 bytes"));
    assertFalse(Files.exists(out()));
    assertEquals(2, HandMadeBackup.at(file()).unpack(out(), 701).members().size());
    assertEquals("y", Files.readString(out().resolve("b/c")));
  }

  @Test
  void an_archive_that_is_cut_off_says_where_and_no_limit() throws Exception {
    byte[] whole = tar(List.of(entry("a", "x".repeat(700)), entry("b", "y")));
    for (int length : new int[] {600, 1100, 1600, 2100}) {
      Files.write(file(), Arrays.copyOf(whole, length));
      BackupException e =
          assertThrows(
              BackupException.class, () -> HandMadeBackup.at(file()).unpack(out(), 123_456_789));
      assertSame(CoreFailure.TRUNCATED, e.code());
      assertFalse(e.getMessage().matches("(?s).*(123456789|9223372036854775807).*"), e::toString);
    }
  }

  /** Nobody needs to send them: a gzip file of a MiB is a GiB of them. */
  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void members_without_content_and_zeros_behind_the_last_have_an_end() throws Exception {
    byte[] empty = Arrays.copyOf(tar(List.of(directory("d"))), 512);
    byte[] zeros = new byte[512];
    for (byte[] block : List.of(empty, zeros)) {
      HandMadeBackup endless = HandMadeBackup.at(new Endless(empty, block), ObjectName.of("a"));
      assertSame(
          CoreFailure.TOO_LARGE, codeOf(() -> endless.unpack(out(), 1000), "more than 1000 bytes"));
      assertFalse(Files.exists(out()));
    }
  }

  private static Member directory(String name) {
    return new Member(new TarArchiveEntry(name + "/"), new byte[0]);
  }

  /** A store whose every object begins with a block and goes on with another for ever. */
  private record Endless(byte[] first, byte[] then) implements ObjectLocation {
    @Override
    public String describe() {
      return "memory";
    }

    @Override
    public ReadableStore open(StoreContext context) {
      return new ReadableStore() {
        @Override
        public InputStream open(ObjectName name, ByteRange range) {
          return new SequenceInputStream(new ByteArrayInputStream(first), new Repeated(then));
        }

        @Override
        public ObjectPage list(String prefix, PageToken from) {
          return new ObjectPage(List.of(), PageToken.END);
        }

        @Override
        public StoreTraits traits() {
          return new StoreTraits(false, true, Long.MAX_VALUE, Map.of());
        }

        @Override
        public void close() {}
      };
    }
  }

  /** A block, again and again. */
  private static final class Repeated extends InputStream {
    private final byte[] block;
    private int at;

    private Repeated(byte[] block) {
      this.block = block;
    }

    @Override
    public int read() {
      int b = block[at] & 0xff;
      at = (at + 1) % block.length;
      return b;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      int n = Math.min(length, block.length - at);
      System.arraycopy(block, at, bytes, offset, n);
      at = (at + n) % block.length;
      return n;
    }
  }

  @Test
  void what_a_killed_process_left_is_removed_by_the_next() throws Exception {
    for (String name : List.of("latest-full.tar.gz", "out")) {
      String made = name + ".0123456789abcdef";
      Path left = directory.resolve(made + ".incomplete");
      Files.createDirectories(left);
      Files.writeString(left.resolve("issuer-directory.mongo.secret"), "canary");
      Files.createFile(directory.resolve(made + ".lock.incomplete"));
    }
    export(TarballRequest.plain(NIGHTLY, file()));
    assertEquals(
        List.of("out.0123456789abcdef.incomplete", "out.0123456789abcdef.lock.incomplete"),
        unfinished());
    HandMadeBackup.at(file()).unpack(out(), MOST);
    assertEquals(List.of(), unfinished());
  }

  private static FailureCode codeOf(Executable step, String says) {
    BackupException e = assertThrows(BackupException.class, step);
    assertTrue(e.getMessage().contains(says), e.getMessage());
    return e.code();
  }

  private HandMadeBackup inStore(MemorySink sink, String name) throws BackupException {
    return Locations.tarball(
        URI.create("memory://bucket/" + name),
        (uri, credentials) ->
            uri.toString().equals("memory://bucket/") ? Optional.of(sink) : Optional.empty());
  }

  private static void put(MemorySink sink, String name, byte[] bytes) throws IOException {
    try (ObjectStore store = sink.open(StoreContext.system())) {
      store.put(ObjectName.of(name), ObjectBody.of(bytes));
    }
  }

  @Test
  void an_object_of_any_store_is_known_by_its_first_bytes() throws Exception {
    MemorySink bucket = new MemorySink();
    export(TarballRequest.encrypted(NIGHTLY, file(), fixture.owner.recipient()));
    byte[] sealed = Files.readAllBytes(file());
    put(bucket, "latest-full.tar.gz", sealed);
    export(TarballRequest.plain(NIGHTLY, file()).replacing());
    put(bucket, "plain", Files.readAllBytes(file()));

    assertTrue(inStore(bucket, "latest-full.tar.gz").isSealed());
    assertFalse(inStore(bucket, "plain").isSealed());
    TarballReport one = inStore(bucket, "latest-full.tar.gz").unpack(out(), MOST, fixture.owner);
    TarballReport other = inStore(bucket, "plain").unpack(directory.resolve("other"), MOST);

    assertEquals(one.members(), other.members());
    assertEquals("workers: 4\n", Files.readString(out().resolve("issuer-directory.yaml")));
    bucket.assertNothingOpen();
  }

  @Test
  void what_is_no_tarball_at_a_uri_says_what_it_is() throws Exception {
    MemorySink bucket = new MemorySink();
    put(bucket, "text", "hello".getBytes(StandardCharsets.UTF_8));
    put(bucket, "empty", new byte[0]);
    put(bucket, "dump.gz", gzip(dump));
    put(bucket, "text.gz", gzip("hello".getBytes(StandardCharsets.UTF_8)));
    export(TarballRequest.plain(NIGHTLY, file()));
    byte[] whole = Files.readAllBytes(file());
    put(bucket, "cut", Arrays.copyOf(whole, whole.length - 1));
    put(bucket, "stub", Arrays.copyOf(whole, 40));
    record Refusal(String object, CoreFailure code, String says) {}
    List<Refusal> refusals =
        List.of(
            new Refusal("text", CoreFailure.NOT_A_BUNDLE, "text in memory: is of no kind"),
            new Refusal("empty", CoreFailure.NOT_A_BUNDLE, "is empty, not a tar.gz"),
            new Refusal("dump.gz", CoreFailure.NOT_A_BUNDLE, "captured as it is"),
            new Refusal("text.gz", CoreFailure.NOT_A_BUNDLE, "a gzip file that holds"),
            new Refusal("cut", CoreFailure.TRUNCATED, "cut in memory: is cut off"),
            new Refusal("stub", CoreFailure.TRUNCATED, "is cut off"),
            new Refusal("absent", CoreFailure.OBJECT_NOT_FOUND, "absent"));
    for (Refusal refusal : refusals) {
      HandMadeBackup made = inStore(bucket, refusal.object());
      assertSame(
          refusal.code(), codeOf(() -> made.unpack(out(), MOST), refusal.says()), refusal::object);
      assertFalse(Files.exists(out()));
      bucket.assertNothingOpen();
    }
    assertSame(
        CoreFailure.UNKNOWN_LOCATION, codeOf(() -> inStore(bucket, ""), "names no file or object"));
    assertSame(
        CoreFailure.UNKNOWN_LOCATION,
        codeOf(() -> Locations.tarball(URI.create("ftp://host/latest-full.tar.gz")), "ftp"));
  }

  private static byte[] gzip(byte[] plain) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(plain);
    }
    return bytes.toByteArray();
  }

  @Test
  void a_file_that_is_no_repository_is_told_to_be_a_tarball() throws Exception {
    export(TarballRequest.plain(NIGHTLY, file()));
    assertSame(
        CoreFailure.NOT_A_BUNDLE,
        codeOf(
            () -> BackupRepository.at(Locations.of(file().toUri())).open(),
            "a gzip file, not a bundle"));
    assertTrue(CoreFailure.NOT_A_BUNDLE.remedy().contains("tar.gz"));
    assertSame(
        CoreFailure.MEDIUM_GONE,
        codeOf(() -> Locations.tarball(out().toUri()).isSealed(), out().toString()));
  }

  @Test
  void of_several_files_one_is_meant() throws Exception {
    Path other = directory.resolve("2026-11-20.tar.gz");
    assertSame(
        CoreFailure.SEVERAL_BUNDLES,
        codeOf(() -> HandMadeBackup.only(List.of(file(), other)), other.toString()));
    assertSame(CoreFailure.NOT_FOUND, codeOf(() -> HandMadeBackup.only(List.of()), "no file"));
    assertEquals(file().toString(), HandMadeBackup.only(List.of(file())).describe());
  }

  private record Member(TarArchiveEntry entry, byte[] bytes) {}

  private static Member entry(String name, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(bytes.length);
    return new Member(entry, bytes);
  }

  private static byte[] tarball(List<Member> members) throws IOException {
    return gzip(tar(members));
  }

  private static byte[] tar(List<Member> members) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
      for (Member member : new ArrayList<>(members)) {
        tar.putArchiveEntry(member.entry());
        new ByteArrayInputStream(member.bytes()).transferTo(tar);
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }
}
