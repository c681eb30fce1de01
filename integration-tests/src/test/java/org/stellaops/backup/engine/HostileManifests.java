package org.stellaops.backup.engine;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdInputStream;
import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.Encryptor;
import org.stellaops.backup.spi.Recipient;

/**
 * What a writer can sign and encrypt whose key is pinned, and who means harm. A program of its own,
 * so that its memory can be bounded; prints a line for each attempt.
 */
final class HostileManifests {
  private static final int BYTES = 300;
  private static final ObjectName SLOT = ObjectName.of("log/host-a/0000000002.entry");

  private final DamagedRepository repository;
  private final SnapshotRef snapshot;
  private final String entry;
  private final String manifestLine;
  private final AgeIdentity epoch;
  private final String honest;

  private HostileManifests(Path root) throws IOException {
    repository = new DamagedRepository(root);
    BackupPlan plan =
        BackupPlan.named("test")
            .source("files", BytesSource.of("a", Fixture.random(1, BYTES)))
            .encryptTo(repository.owner.recipient())
            .writer(repository.keys)
            .sink(repository.sink)
            .limits(Limits.defaults().memory(32 << 20).parallelism(1))
            .build();
    try (BackupEngine engine = BackupEngine.open(plan)) {
      snapshot = engine.backup(BackupRequest.full().named("honest")).snapshot();
    }
    entry = new String(repository.raw().read(SLOT), StandardCharsets.US_ASCII);
    manifestLine = line(entry, "  w/host-a/manifests/");
    epoch = epoch(line(entry, "# key: "));
    honest = new String(plain(manifestLine.substring(66)), StandardCharsets.UTF_8);
  }

  public static void main(String[] arguments) throws IOException {
    HostileManifests hostile = new HostileManifests(Path.of(arguments[0]));
    hostile.honest();
    hostile.objects();
    hostile.bombs();
    hostile.lines();
    hostile.runs();
    hostile.frames();
  }

  private static String line(String text, String part) {
    return text.lines().filter(l -> l.contains(part)).findFirst().orElseThrow();
  }

  private AgeIdentity epoch(String keyField) throws IOException {
    byte[] wrapped = Base64.getDecoder().decode(keyField.substring(keyField.lastIndexOf(' ') + 1));
    try (InputStream in =
        repository
            .owner
            .format()
            .open(new ByteArrayInputStream(wrapped), List.of(repository.owner))) {
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      return AgeIdentity.parse(Secret.of(text));
    }
  }

  private byte[] plain(String object) throws IOException {
    byte[] stored = repository.raw().read(ObjectName.of(object));
    try (InputStream in =
        new ZstdInputStream(
            epoch.format().open(new ByteArrayInputStream(stored), List.of(epoch)))) {
      return in.readAllBytes();
    }
  }

  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private static byte[] sealed(Recipient to, Content content) throws IOException {
    ByteArrayOutputStream stored = new ByteArrayOutputStream();
    try (Encryptor.Sealing out = to.format().seal(stored, List.of(to))) {
      content.writeTo(out);
      out.finish();
    }
    return stored.toByteArray();
  }

  private byte[] sealedZstd(Content content) throws IOException {
    ByteArrayOutputStream frames = new ByteArrayOutputStream();
    try (ZstdOutputStream zstd = new ZstdOutputStream(frames, 1)) {
      content.writeTo(zstd);
    }
    return sealed(epoch.recipient(), out -> frames.writeTo(out));
  }

  private byte[] manifest(String text) throws IOException {
    return sealedZstd(out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Signs an entry that names this manifest, and reads what it leads to. */
  private void attempt(String what, byte[] stored) throws IOException {
    String name = "w/host-a/manifests/%s-%d.age".formatted(Digest.ofContent(stored), stored.length);
    repository.raw().write(ObjectName.of(name), stored);
    attemptNamed(what, Digest.ofContent(stored).hex() + "  " + name);
    repository.raw().remove(ObjectName.of(name));
  }

  private void attemptNamed(String what, String named) throws IOException {
    String forged = Forgery.same(entry).field(manifestLine, named).signedBy(repository.keys);
    repository.raw().write(SLOT, forged.getBytes(StandardCharsets.US_ASCII));
    String restored = outcome(this::restored);
    String verified = outcome(this::verified);
    boolean isRefused = !restored.isEmpty() && !verified.isEmpty();
    System.out.println(
        isRefused
            ? "refused %s: %s".formatted(what, restored)
            : "accepted %s%s%s".formatted(what, restored, verified));
  }

  private interface Step {
    void run() throws IOException;
  }

  /** Empty if it went well; nothing but Corrupt is a refusal. */
  private static String outcome(Step step) {
    try {
      step.run();
      return "";
    } catch (BackupException.Corrupt e) {
      return String.valueOf(e.getMessage()).lines().findFirst().orElse("-");
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      System.out.println("fell over: " + e);
      return "";
    }
  }

  private void restored() throws IOException {
    BytesSource.Target target = new BytesSource.Target();
    try (BackupRepository opened = repository.open()) {
      RestorePlan plan =
          opened.planRestore(
              RestoreRequest.of(snapshot).with(repository.owner).target("files", target));
      opened.restore(plan, Confirmation.of(plan.digest()));
    } catch (BackupException e) {
      if (!target.restored.isEmpty()) {
        throw new IllegalStateException("published what it refused", e);
      }
      throw e;
    }
    if (!Arrays.equals(target.restored.get("a"), Fixture.random(1, BYTES))) {
      throw new IllegalStateException("restored something else");
    }
  }

  private void verified() throws IOException {
    try (BackupRepository opened = repository.open()) {
      opened.verify(snapshot, Verification.full(repository.owner));
    }
  }

  private void honest() throws IOException {
    attempt("an honest manifest", manifest(honest));
  }

  private void objects() throws IOException {
    String zeros = "0".repeat(64);
    attemptNamed(
        "1 GB by its name", "%s  w/host-a/manifests/%s-1073741824.age".formatted(zeros, zeros));
    byte[] text = honest.getBytes(StandardCharsets.UTF_8);
    byte[] frame = Zstd.compress(text, 3);
    attempt("no age file", text);
    attempt("an empty object", new byte[0]);
    attempt("no zstd", sealed(epoch.recipient(), out -> out.write(text)));
    attempt("nothing", sealed(epoch.recipient(), out -> {}));
    attempt("no lines", manifest(""));
    attempt(
        "half a frame", sealed(epoch.recipient(), out -> out.write(frame, 0, frame.length / 2)));
    attempt("a window of 2 GiB", sealed(epoch.recipient(), out -> out.write(hugeWindow(text))));
    try (AgeIdentity other = AgeIdentity.generate()) {
      attempt("encrypted to somebody else", sealed(other.recipient(), out -> out.write(frame)));
    }
  }

  /** A frame of one raw block with a window descriptor of 2^31 (RFC 8878, section 3.1.1.1.2). */
  private static byte[] hugeWindow(byte[] content) {
    int block = content.length << 3 | 1;
    return ByteBuffer.allocate(9 + content.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0xFD2FB528)
        .put((byte) 0)
        .put((byte) (21 << 3))
        .put((byte) block)
        .put((byte) (block >> 8))
        .put((byte) (block >> 16))
        .put(content)
        .array();
  }

  private void bombs() throws IOException {
    byte[] zeros = new byte[1 << 20];
    attempt("1 GB of zeros", sealedZstd(out -> repeat(out, 1024, zeros)));
    byte[] head = honest.getBytes(StandardCharsets.UTF_8);
    byte[] spaces = new byte[1_000_000];
    Arrays.fill(spaces, (byte) ' ');
    System.arraycopy("{}".getBytes(StandardCharsets.US_ASCII), 0, spaces, 0, 2);
    spaces[spaces.length - 1] = '\n';
    attempt(
        "600 MB of lines",
        sealedZstd(
            out -> {
              out.write(head);
              repeat(out, 600, spaces);
            }));
    attempt("a line of 2 MiB", manifest(honest + "{\"x\":\"" + "y".repeat(2 << 20) + "\"}\n"));
    String artifact = "{\"artifact\":\"files/%s\",\"size\":1,\"sha256\":\"%s\"}\n";
    attempt(
        "150,000 artifacts",
        sealedZstd(
            out -> {
              out.write(head);
              for (int i = 0; i < 150_000; i++) {
                ascii(out, artifact.formatted("n" + i, "0".repeat(64)));
              }
            }));
    String source = line(honest, "\"source\"");
    attempt(
        "a million sources",
        sealedZstd(
            out -> {
              out.write(head);
              for (int i = 0; i < 1_000_000; i++) {
                ascii(out, source.replace("\"files\"", "\"f" + i + "\"") + "\n");
              }
            }));
    String item = "{\"name\":\"n\",\"count\":0,\"bytes\":0},";
    String fat = source.replace("\"witnesses\":[", "\"witnesses\":[" + "{},".repeat(300_000));
    String inventory =
        "{\"inventory\":\"files\",\"items\":["
            + item.repeat(25_000)
            + "{\"name\":\"n\",\"count\":0,\"bytes\":0}]}\n";
    attempt(
        "an inventory of 90 MB",
        sealedZstd(
            out -> {
              out.write(head);
              for (int i = 0; i < 100; i++) {
                ascii(out, inventory);
              }
            }));
    attempt("a line of empty objects", manifest(honest.replace(source, fat)));
  }

  private static void repeat(OutputStream out, int times, byte[] bytes) throws IOException {
    for (int i = 0; i < times; i++) {
      out.write(bytes);
    }
  }

  private static void ascii(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** The honest manifest with something else in the place of some of it. */
  private void changed(String what, String before, String after) throws IOException {
    String text = honest.replace(before, after);
    if (text.equals(honest)) {
      throw new IllegalArgumentException("not in the manifest: " + before);
    }
    attempt(what, manifest(text));
  }

  private void lines() throws IOException {
    String header = line(honest, "\"manifest\"") + "\n";
    String source = line(honest, "\"source\"") + "\n";
    String artifact = line(honest, "\"artifact\"") + "\n";
    String runs = line(honest, "\"runs\"") + "\n";
    attempt("no header", manifest(source + artifact + runs));
    attempt("only a header", manifest(header));
    attempt("a source twice", manifest(header + source + source + artifact + runs));
    attempt("an artifact twice", manifest(header + source + artifact + artifact + runs));
    attempt("an artifact before its source", manifest(header + artifact + source + runs));
    attempt(
        "an inventory before its source",
        manifest(header + "{\"inventory\":\"files\",\"items\":[]}\n" + source + artifact + runs));
    attempt(
        "an inventory that counts below nothing",
        manifest(
            header
                + source
                + "{\"inventory\":\"files\",\"items\":[{\"name\":\"n\",\"count\":-1,\"bytes\":0}]}\n"
                + artifact
                + runs));
    attempt("no artifact of the source", manifest(header + artifact + runs));
    for (String junk :
        List.of(
            "null",
            "[]",
            "5",
            "\"text\"",
            "{",
            "}",
            "",
            "{\"a\":1}{\"b\":2}",
            "\u0000",
            "{\"x\":" + "[".repeat(100_000) + "}",
            "{\"x\":" + "1".repeat(100_000) + "}")) {
      String said = junk.length() > 20 ? junk.substring(0, 20) + "…" : junk;
      attempt("the line '" + said + "'", manifest(header + junk + "\n" + source + artifact + runs));
    }
    changed("of another snapshot", "\"" + snapshot + "\"", "\"01m7zzzzzzzzzzzzzzzzzzzzzz\"");
    changed("a newer manifest", "{\"manifest\":1,", "{\"manifest\":2,");
    changed("another component", "\"component\":\"config\"", "\"component\":\"database\"");
    changed("a field twice", "\"source\":\"files\"", "\"source\":\"files\",\"outcome\":\"X\"");
    attempt(
        "an outcome unheard of",
        manifest(header + source.replace("\"GOOD\"", "\"FINE\"") + artifact + runs));
    changed("no time", "\"kind\":\"bytes/1\",\"taken\":\"2", "\"kind\":\"bytes/1\",\"taken\":\"x2");
    changed("negative bytes", "\"plain-bytes\":300", "\"plain-bytes\":-300");
    for (String name :
        List.of(
            "files/../a",
            "files/..",
            "files/",
            "files/a/b",
            "files",
            "/a",
            "other/a",
            "files/a\\u0000",
            "files/" + "a".repeat(121))) {
      changed("the artifact " + name, "\"artifact\":\"files/a\"", "\"artifact\":\"" + name + "\"");
    }
    for (String size :
        List.of(
            "-1",
            "299",
            "301",
            "300.5",
            "3e2",
            "9223372036854775807",
            "9223372036854775808",
            "1e400",
            "\"300\"",
            "null",
            "[300]")) {
      changed("the size " + size, "\"size\":300", "\"size\":" + size);
    }
    for (String digest : List.of("0", "0".repeat(64), "A".repeat(64), "0".repeat(65))) {
      attempt(
          "the digest " + digest,
          manifest(
              honest.replaceAll("\"sha256\":\"[0-9a-f]{64}\"", "\"sha256\":\"" + digest + "\"")));
    }
  }

  private void runs() throws IOException {
    String runs = line(honest, "\"runs\"");
    String run = runs.substring(runs.indexOf("[[") + 1, runs.indexOf("]]") + 1);
    String pack = run.substring(2, run.indexOf('"', 2));
    long stored = Long.parseLong(run.split(",")[2]);
    String digest = pack.substring(3, 67);
    Map<String, String> hostile =
        Map.ofEntries(
            Map.entry("a run behind the pack", row(pack, "65700", stored, "300")),
            Map.entry("a negative offset", row(pack, "-1", stored, "300")),
            Map.entry("an offset of 2^63-1", row(pack, "9223372036854775807", stored, "300")),
            Map.entry("an offset of 2^32", row(pack, "4294967296", stored, "300")),
            Map.entry("a fractional offset", row(pack, "0.5", stored, "300")),
            Map.entry("a run of nothing", row(pack, "0", 0, "300")),
            Map.entry("a run of half a frame", row(pack, "0", stored - 1, "300")),
            Map.entry("a run of a frame and more", row(pack, "0", stored + 1, "300")),
            Map.entry("a run of 1 GiB", row(pack, "0", 1 << 30, "300")),
            Map.entry("negative plain bytes", row(pack, "0", stored, "-300")),
            Map.entry("no plain bytes", row(pack, "0", stored, "0")),
            Map.entry("other plain bytes than the frames'", row(pack, "0", stored, "301")),
            Map.entry("a run twice", run + "," + run),
            Map.entry("no run", ""),
            Map.entry("three columns", "[\"%s\",0,%d]".formatted(pack, stored)),
            Map.entry("text", "\"run\""),
            Map.entry("a pack outside", row("../../../etc/passwd", "0", stored, "300")),
            Map.entry(
                "a pack below another digit", row("zz/" + pack.substring(3), "0", stored, "300")),
            Map.entry(
                "a pack of 2^59 bytes",
                row(pack.substring(0, 3) + digest + "-576460752303423488", "0", stored, "300")),
            Map.entry(
                "a pack that is not there",
                row("00/" + "0".repeat(64) + "-65736", "0", stored, "300")));
    for (Map.Entry<String, String> rows : hostile.entrySet()) {
      attempt(rows.getKey(), manifest(honest.replace(run, rows.getValue())));
    }
  }

  private static String row(String pack, String offset, long stored, String plain) {
    return "[\"%s\",%s,%d,%s]".formatted(pack, offset, stored, plain);
  }

  private void frames() throws IOException {
    byte[] content = Fixture.random(1, BYTES);
    byte[] frame = Zstd.compress(content, 3);
    framed("a frame of another size", resized(frame, BYTES + 1), 301);
    framed("a frame of a smaller size", resized(frame, BYTES - 1), 299);
    framed("a frame without a size", hugeWindow(content), BYTES);
    framed("a frame of 9 MiB", Zstd.compress(new byte[9 << 20], 3), 9 << 20);
    framed("a frame of 1 GiB that is tiny", resized32(frame, 1 << 30), 1 << 30);
    framed("a frame of 8 MiB that is tiny", resized32(frame, 8 << 20), 8 << 20);
    framed("a skippable frame", new byte[] {0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}, 4);
    framed("no frame", content, BYTES);
    framed("half a frame", Arrays.copyOf(frame, frame.length - 1), BYTES);
    byte[] many = new byte[4 << 20];
    byte[] one = Zstd.compress(new byte[] {1}, 3);
    int count = many.length / one.length;
    for (int i = 0; i < count; i++) {
      System.arraycopy(one, 0, many, i * one.length, one.length);
    }
    framed("very many frames", Arrays.copyOf(many, count * one.length), count);
  }

  /** A pack of these frames, and a run of all of it. */
  private void framed(String what, byte[] frames, long plainBytes) throws IOException {
    byte[] stored = sealed(epoch.recipient(), out -> out.write(frames));
    String digest = Digest.ofContent(stored).hex();
    String pack = digest.substring(0, 2) + "/" + digest + "-" + stored.length;
    ObjectName name = ObjectName.of("w/host-a/packs/" + pack + ".age");
    repository.raw().write(name, stored);
    String runs = line(honest, "\"runs\"");
    String run = runs.substring(runs.indexOf("[[") + 1, runs.indexOf("]]") + 1);
    String row = row(pack, "0", frames.length, Long.toString(plainBytes));
    attempt(what, manifest(honest.replace(run, row)));
    repository.raw().remove(name);
  }

  /** The frame with a content size of two bytes changed (256 is added, RFC 8878, 3.1.1.1.4). */
  private static byte[] resized(byte[] frame, int contentBytes) {
    byte[] changed = frame.clone();
    if ((changed[4] & 0xe0) != 0x60) {
      throw new IllegalArgumentException("not a frame of one segment with a size of two bytes");
    }
    changed[5] = (byte) (contentBytes - 256);
    changed[6] = (byte) ((contentBytes - 256) >> 8);
    return changed;
  }

  /** The frame with a content size of four bytes. */
  private static byte[] resized32(byte[] frame, int contentBytes) {
    ByteBuffer changed =
        ByteBuffer.allocate(frame.length + 2).order(ByteOrder.LITTLE_ENDIAN).putInt(0xFD2FB528);
    changed.put((byte) 0xa0).putInt(contentBytes).put(frame, 7, frame.length - 7);
    return changed.array();
  }
}
