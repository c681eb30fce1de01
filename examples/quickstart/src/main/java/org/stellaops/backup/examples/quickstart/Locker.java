package org.stellaops.backup.examples.quickstart;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * An evidence locker in a directory: statements named by their digest, bundles of tenants, and a
 * chain of signed anchors over them.
 */
final class Locker {
  private static final List<String> KINDS =
      List.of("attestations", "sboms", "vex", "verdicts", "provenance");
  private static final String ANCHOR = "application/vnd.stella-ledger-anchor+json";
  private static final int STATEMENTS_PER_ANCHOR = 50;

  private final Path root;
  private final Random random = new Random(20261121);
  private final KeyPair signer;
  private final List<String> index = new ArrayList<>();
  private int anchors;
  private String newestAnchor = "0".repeat(64);

  private Locker(Path root, KeyPair signer) {
    this.root = root;
    this.signer = signer;
  }

  static Locker make(Path root) throws IOException, GeneralSecurityException {
    KeyPair signer = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    Locker locker = new Locker(root, signer);
    locker.write("keys/evidence-2026.pub.pem", pem(signer.getPublic().getEncoded()));
    locker.write("trust/revokedKeys.json", "{\"revokedKeys\":[]}");
    locker.write("holds/case-1.json", "{\"caseId\":\"case-1\",\"bundles\":[\"bundle-0\"]}");
    locker.bundle(0, 24);
    locker.seal(400);
    return locker;
  }

  void change() throws IOException, GeneralSecurityException {
    bundle(24, 25);
    seal(STATEMENTS_PER_ANCHOR);
  }

  private void bundle(int from, int to) throws IOException {
    for (int n = from; n < to; n++) {
      byte[] scan = new byte[500_000];
      random.nextBytes(scan);
      var archive = new ByteArrayOutputStream();
      try (var tar = new TarArchiveOutputStream(new GZIPOutputStream(archive))) {
        put(tar, "bundle.json", ("{\"bundle\":" + n + "}").getBytes(StandardCharsets.US_ASCII));
        put(tar, "scan.bin", scan);
      }
      write("tenants/tenant-%d/bundles/bundle-%d/bundle.tgz".formatted(n % 3, n), archive);
    }
  }

  private static void put(TarArchiveOutputStream tar, String name, byte[] content)
      throws IOException {
    var entry = new TarArchiveEntry(name);
    entry.setSize(content.length);
    entry.setModTime(0);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }

  /** Writes statements, an anchor after every fifty, and the index. */
  private void seal(int statements) throws IOException, GeneralSecurityException {
    List<String> leaves = new ArrayList<>();
    for (int n = 0; n < statements; n++) {
      leaves.add(statement(index.size()));
      if (leaves.size() == STATEMENTS_PER_ANCHOR) {
        anchor(leaves);
        leaves.clear();
      }
    }
    write("index.json", "{\"version\":1,\"entries\":[\n" + String.join(",\n", index) + "\n]}");
  }

  private String statement(int n) throws IOException {
    byte[] payload = new byte[new int[] {40, 400, 4000}[random.nextInt(3)]];
    random.nextBytes(payload);
    String kind = KINDS.get(n % KINDS.size());
    String text =
        "{\"n\":%d,\"tenant\":\"tenant-%d\",\"blob\":\"%s\"}"
            .formatted(n, n % 3, Base64.getEncoder().encodeToString(payload));
    String digest = Fingerprint.sha256(text);
    write("%s/%s/%s.json".formatted(kind, digest.substring(0, 2), digest), text);
    index.add(
        "{\"seq\":%d,\"type\":\"%s\",\"sha256\":\"%s\",\"size\":%d}"
            .formatted(n, kind, digest, text.length()));
    return digest;
  }

  /** Signed as a DSSE envelope, and naming the one before. */
  private void anchor(List<String> leaves) throws IOException, GeneralSecurityException {
    String body =
        "{\"seq\":%d,\"leafCount\":%d,\"leaves\":[\"%s\"],\"prevHash\":\"%s\"}"
            .formatted(anchors, leaves.size(), String.join("\",\"", leaves), newestAnchor);
    Signature signature = Signature.getInstance("Ed25519");
    signature.initSign(signer.getPrivate());
    signature.update(
        "DSSEv1 %d %s %d %s"
            .formatted(ANCHOR.length(), ANCHOR, body.length(), body)
            .getBytes(StandardCharsets.US_ASCII));
    Base64.Encoder base64 = Base64.getEncoder();
    write(
        "anchors/%08d.dsse.json".formatted(anchors),
        "{\"payloadType\":\"%s\",\"payload\":\"%s\",\"signatures\":[{\"sig\":\"%s\"}]}"
            .formatted(
                ANCHOR,
                base64.encodeToString(body.getBytes(StandardCharsets.US_ASCII)),
                base64.encodeToString(signature.sign())));
    newestAnchor = Fingerprint.sha256(body);
    write("head.json", "{\"seq\":%d,\"anchorHash\":\"%s\"}".formatted(anchors++, newestAnchor));
  }

  private static String pem(byte[] key) {
    return "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"
        .formatted(Base64.getEncoder().encodeToString(key));
  }

  private void write(String name, String text) throws IOException {
    write(name, text.getBytes(StandardCharsets.US_ASCII));
  }

  private void write(String name, ByteArrayOutputStream content) throws IOException {
    write(name, content.toByteArray());
  }

  private void write(String name, byte[] content) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, content);
  }
}
