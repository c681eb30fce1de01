package org.stellaops.backup.internal.repository;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Verifies Ed25519 signatures in SSHSIG form (OpenSSH PROTOCOL.sshsig; RFC 8032). Stricter than
 * {@code ssh-keygen}: the armor must be exactly the one that the signature's bytes have, so that an
 * entry cannot be changed without notice.
 */
public final class SshSignature {
  /** Namespace of every signature in a repository. */
  public static final String NAMESPACE = "stella-backup-v1";

  private static final String BEGIN = "-----BEGIN SSH SIGNATURE-----\n";
  private static final String END = "-----END SSH SIGNATURE-----\n";
  private static final int LINE = 70;
  private static final int MAX_ARMOR = 1000;
  private static final byte[] MAGIC = "SSHSIG".getBytes(StandardCharsets.US_ASCII);
  private static final String KEY_TYPE = "ssh-ed25519";

  /** DER of a SubjectPublicKeyInfo for Ed25519, up to the key itself (RFC 8410, section 4). */
  private static final byte[] SPKI = HexFormat.of().parseHex("302a300506032b6570032100");

  private SshSignature() {}

  /**
   * The public key, as OpenSSH writes it, whose signature of {@code message} this is. Whether that
   * key is trusted is the caller's question.
   *
   * @throws BackupException.Corrupt BAD_SIGNATURE
   */
  public static String verify(String armor, byte[] message, String what) throws BackupException {
    byte[] blob = unarmor(armor, what);
    ByteBuffer in = ByteBuffer.wrap(blob);
    try {
      byte[] magic = new byte[MAGIC.length];
      in.get(magic);
      require(
          MessageDigest.isEqual(magic, MAGIC) && in.getInt() == 1,
          what,
          "not an SSHSIG of version 1");
      byte[] keyBlob = string(in);
      byte[] key = ofType(keyBlob, 32, what);
      require(text(string(in)).equals(NAMESPACE), what, "signature of another namespace");
      require(string(in).length == 0, what, "reserved field is not empty");
      String hash = text(string(in));
      require(
          hash.equals("sha512") || hash.equals("sha256"),
          what,
          "unknown hash " + Names.printable(hash));
      byte[] signature = ofType(string(in), 64, what);
      require(!in.hasRemaining(), what, "bytes follow the signature");
      require(isSignedBy(key, signed(hash, message), signature), what, "signature does not match");
      return KEY_TYPE + " " + Base64.getEncoder().encodeToString(keyBlob);
    } catch (BufferUnderflowException e) {
      throw bad(what, "signature ends too early");
    }
  }

  private static byte[] unarmor(String armor, String what) throws BackupException {
    boolean isFramed =
        armor.length() <= MAX_ARMOR && armor.startsWith(BEGIN) && armor.endsWith(END);
    require(
        isFramed && armor.length() > BEGIN.length() + END.length(), what, "no SSH signature armor");
    String body = armor.substring(BEGIN.length(), armor.length() - END.length()).replace("\n", "");
    byte[] blob;
    try {
      blob = Base64.getDecoder().decode(body);
    } catch (IllegalArgumentException e) {
      throw bad(what, "armor is not base64");
    }
    require(armor(blob).equals(armor), what, "armor is not in its one exact form");
    return blob;
  }

  /** The one armor of a signature. */
  static String armor(byte[] blob) {
    String body = Base64.getEncoder().encodeToString(blob);
    StringBuilder text = new StringBuilder(BEGIN);
    for (int at = 0; at < body.length(); at += LINE) {
      text.append(body, at, Math.min(body.length(), at + LINE)).append('\n');
    }
    return text.append(END).toString();
  }

  private static byte[] ofType(byte[] blob, int length, String what) throws BackupException {
    ByteBuffer in = ByteBuffer.wrap(blob);
    require(text(string(in)).equals(KEY_TYPE), what, "not an Ed25519 key or signature");
    byte[] value = string(in);
    require(
        value.length == length && !in.hasRemaining(), what, "key or signature of a wrong length");
    return value;
  }

  private static byte[] string(ByteBuffer in) {
    int length = in.getInt();
    if (length < 0 || length > in.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] value = new byte[length];
    in.get(value);
    return value;
  }

  private static String text(byte[] value) {
    return new String(value, StandardCharsets.ISO_8859_1);
  }

  private static byte[] signed(String hash, byte[] message) {
    try {
      byte[] digest =
          MessageDigest.getInstance(hash.equals("sha512") ? "SHA-512" : "SHA-256").digest(message);
      byte[] namespace = NAMESPACE.getBytes(StandardCharsets.US_ASCII);
      byte[] name = hash.getBytes(StandardCharsets.US_ASCII);
      return ByteBuffer.allocate(MAGIC.length + 16 + namespace.length + name.length + digest.length)
          .put(MAGIC)
          .putInt(namespace.length)
          .put(namespace)
          .putInt(0)
          .putInt(name.length)
          .put(name)
          .putInt(digest.length)
          .put(digest)
          .array();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK has SHA-512 and SHA-256", e);
    }
  }

  private static boolean isSignedBy(byte[] key, byte[] signed, byte[] signature) {
    try {
      byte[] spki = ByteBuffer.allocate(SPKI.length + key.length).put(SPKI).put(key).array();
      Signature verifier = Signature.getInstance("Ed25519");
      verifier.initVerify(
          KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(spki)));
      verifier.update(signed);
      return verifier.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static void require(boolean condition, String what, String found) throws BackupException {
    if (!condition) {
      throw bad(what, found);
    }
  }

  private static BackupException bad(String what, String found) {
    return new BackupException.Corrupt(CoreFailure.BAD_SIGNATURE, what + ": " + found);
  }
}
