package org.stellaops.backup.crypto.internal.sshsig;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * Signatures that {@code ssh-keygen -Y verify} accepts (OpenSSH, PROTOCOL.sshsig), with hash
 * algorithm sha512.
 */
public final class SshSignature {
  private static final byte[] MAGIC = "SSHSIG".getBytes(US_ASCII);
  private static final int VERSION = 1;
  private static final String HASH = "sha512";
  private static final String RESERVED = "";

  /** As {@code ssh-keygen -Y sign} breaks lines. No multiple of 4, so not for the MIME encoder. */
  private static final int COLUMNS = 70;

  private SshSignature() {}

  /**
   * An armored signature, exactly as {@code ssh-keygen} writes it.
   *
   * @param namespace what the signature is good for; not empty
   */
  public static String sign(Ed25519Key key, String namespace, byte[] message) throws IOException {
    if (namespace.isEmpty()) {
      throw new IllegalArgumentException("PROTOCOL.sshsig demands a namespace");
    }
    byte[] toSign =
        new SshBytes()
            .raw(MAGIC)
            .string(namespace)
            .string(RESERVED)
            .string(HASH)
            .string(sha512(message))
            .toBytes();
    byte[] signature =
        new SshBytes().string(Ed25519Key.SSH_TYPE).string(key.sign(toSign)).toBytes();
    byte[] blob =
        new SshBytes()
            .raw(MAGIC)
            .uint32(VERSION)
            .string(key.publicBlob())
            .string(namespace)
            .string(RESERVED)
            .string(HASH)
            .string(signature)
            .toBytes();
    return armored(blob);
  }

  private static String armored(byte[] blob) {
    String base64 = Base64.getEncoder().encodeToString(blob);
    var text = new StringBuilder("-----BEGIN SSH SIGNATURE-----\n");
    for (int from = 0; from < base64.length(); from += COLUMNS) {
      text.append(base64, from, Math.min(base64.length(), from + COLUMNS)).append('\n');
    }
    return text.append("-----END SSH SIGNATURE-----\n").toString();
  }

  private static byte[] sha512(byte[] message) {
    try {
      return MessageDigest.getInstance("SHA-512").digest(message);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("the JDK has had SHA-512 since 1.4.2", e);
    }
  }
}
