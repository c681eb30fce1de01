package org.stellaops.backup.crypto.internal.sshsig;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** A signing key on Ed25519 (RFC 8032) as raw bytes, computed with by the JDK. */
public final class Ed25519Key {
  /** Of the private and of the public half. */
  public static final int KEY_BYTES = 32;

  /** OpenSSH's name of the algorithm. */
  static final String SSH_TYPE = "ssh-ed25519";

  /** RFC 8410: what stands before the 32 bytes in PKCS #8 and in X.509. */
  private static final byte[] PRIVATE_PREFIX =
      HexFormat.of().parseHex("302e020100300506032b657004220420");

  private static final byte[] PUBLIC_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

  private final byte[] seed;
  private final byte[] publicKey;

  private Ed25519Key(byte[] seed, byte[] publicKey) {
    this.seed = seed;
    this.publicKey = publicKey;
  }

  /** A new key pair. */
  public static Ed25519Key generate() throws IOException {
    try {
      KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
      return new Ed25519Key(
          rawKey(pair.getPrivate().getEncoded(), PRIVATE_PREFIX),
          rawKey(pair.getPublic().getEncoded(), PUBLIC_PREFIX));
    } catch (GeneralSecurityException e) {
      throw refused(e);
    }
  }

  /**
   * A pair whose halves belong together; empty if they do not. Signing with a wrong public half
   * would give the private one away.
   *
   * @param seed the private half, 32 bytes; copied
   * @param publicText as {@link #publicText} gives it
   */
  public static Optional<Ed25519Key> of(byte[] seed, String publicText) throws IOException {
    byte[] start = new SshBytes().string(SSH_TYPE).uint32(KEY_BYTES).toBytes();
    byte[] blob = Base64.getDecoder().decode(publicText.substring(SSH_TYPE.length() + 1));
    var key =
        new Ed25519Key(
            seed.clone(),
            Arrays.copyOfRange(blob, Math.min(start.length, blob.length), blob.length));
    if (key.publicText().equals(publicText) && key.isPair()) {
      return Optional.of(key);
    }
    key.wipe();
    return Optional.empty();
  }

  /** The private half; the caller wipes it. */
  public byte[] seed() {
    return seed.clone();
  }

  /** As OpenSSH writes it: {@code ssh-ed25519 AAAA…}, without a comment. */
  public String publicText() {
    return SSH_TYPE + " " + Base64.getEncoder().encodeToString(publicBlob());
  }

  /** RFC 8709, section 4. */
  public byte[] publicBlob() {
    return new SshBytes().string(SSH_TYPE).string(publicKey).toBytes();
  }

  /** Forgets the private half. */
  public void wipe() {
    Arrays.fill(seed, (byte) 0);
  }

  /** 64 bytes. */
  byte[] sign(byte[] message) throws IOException {
    byte[] encoded = joined(PRIVATE_PREFIX, seed);
    try {
      PrivateKey key =
          KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(encoded));
      Signature signature = Signature.getInstance("Ed25519");
      signature.initSign(key);
      signature.update(message);
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw refused(e);
    } finally {
      Arrays.fill(encoded, (byte) 0);
    }
  }

  private boolean isPair() throws IOException {
    byte[] message = {1};
    byte[] signed = sign(message);
    try {
      Signature signature = Signature.getInstance("Ed25519");
      signature.initVerify(
          KeyFactory.getInstance("Ed25519")
              .generatePublic(new X509EncodedKeySpec(joined(PUBLIC_PREFIX, publicKey))));
      signature.update(message);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false; // no point of the curve
    }
  }

  private static byte[] rawKey(byte[] encoded, byte[] prefix) {
    if (encoded.length != prefix.length + KEY_BYTES
        || !Arrays.equals(encoded, 0, prefix.length, prefix, 0, prefix.length)) {
      throw new AssertionError("RFC 8410 leaves no other encoding of an Ed25519 key");
    }
    return Arrays.copyOfRange(encoded, prefix.length, encoded.length);
  }

  private static byte[] joined(byte[] prefix, byte[] key) {
    byte[] encoded = Arrays.copyOf(prefix, prefix.length + key.length);
    System.arraycopy(key, 0, encoded, prefix.length, key.length);
    return encoded;
  }

  private static BackupException.Crypto refused(GeneralSecurityException cause) {
    return new BackupException.Crypto(
        CoreFailure.SEALING_FAILED, "this JVM refused Ed25519", cause);
  }
}
