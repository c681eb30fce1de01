package org.stellaops.backup.internal.repository;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import org.stellaops.backup.model.Digest;

/** Signs in SSHSIG form with the JDK alone (OpenSSH PROTOCOL.sshsig), right or wrong as asked. */
final class TestSigner {
  static final String REPOSITORY = "00000000-1111-2222-3333-444444444444";

  private final KeyPair pair;
  String namespace = SshSignature.NAMESPACE;
  String hash = "sha512";
  String reserved = "";
  byte[] behind = new byte[0];
  int version = 1;

  TestSigner() {
    try {
      pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK since 15 has Ed25519", e);
    }
  }

  /** As OpenSSH writes it. */
  String publicKey() {
    return "ssh-ed25519 " + Base64.getEncoder().encodeToString(keyBlob());
  }

  private byte[] keyBlob() {
    byte[] spki = pair.getPublic().getEncoded();
    return join(
        string("ssh-ed25519"), string(Arrays.copyOfRange(spki, spki.length - 32, spki.length)));
  }

  /** The bytes in the armor. */
  byte[] blob(byte[] message) throws GeneralSecurityException {
    byte[] digest =
        MessageDigest.getInstance(hash.equals("sha256") ? "SHA-256" : "SHA-512").digest(message);
    Signature signature = Signature.getInstance("Ed25519");
    signature.initSign(pair.getPrivate());
    signature.update(
        join(ascii("SSHSIG"), string(namespace), string(reserved), string(hash), string(digest)));
    return join(
        ascii("SSHSIG"),
        ByteBuffer.allocate(4).putInt(version).array(),
        string(keyBlob()),
        string(namespace),
        string(reserved),
        string(hash),
        string(join(string("ssh-ed25519"), string(signature.sign()))),
        behind);
  }

  String armor(byte[] message) throws GeneralSecurityException {
    return SshSignature.armor(blob(message));
  }

  /** A signed entry. */
  byte[] entry(String log, long sequence, Optional<Digest> previous, Entry.Draft draft)
      throws GeneralSecurityException {
    return signed(
        draft.text(
            new Entry.Place(
                REPOSITORY,
                log,
                sequence,
                previous,
                "0123456789abcdef0123456789abcdef",
                Instant.parse("2026-11-20T02:00:00Z"),
                "retention/0 none")));
  }

  byte[] signed(String text) throws GeneralSecurityException {
    return Entry.Draft.signed(text, armor(ascii(text)));
  }

  private static byte[] string(String text) {
    return string(ascii(text));
  }

  private static byte[] string(byte[] value) {
    return ByteBuffer.allocate(4 + value.length).putInt(value.length).put(value).array();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] join(byte[]... parts) {
    ByteBuffer all = ByteBuffer.allocate(Arrays.stream(parts).mapToInt(p -> p.length).sum());
    for (byte[] part : parts) {
      all.put(part);
    }
    return all.array();
  }
}
