package org.stellaops.backup.model;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * SHA-256 of some bytes. Whether of plain or of stored bytes is said by the name of whatever holds
 * it.
 *
 * @param hex 64 lower-case hexadecimal digits
 */
public record Digest(String hex) implements Comparable<Digest> {
  private static final Pattern FORM = Pattern.compile("[0-9a-f]{64}");

  public Digest {
    if (!FORM.matcher(hex).matches()) {
      throw new IllegalArgumentException("not a SHA-256 in lower-case hexadecimal: " + hex);
    }
  }

  /**
   * The digest written as {@code hex}.
   *
   * @throws IllegalArgumentException if it is not 64 lower-case hexadecimal digits
   */
  public static Digest parse(String hex) {
    return new Digest(hex);
  }

  /** The digest whose 32 bytes are given. */
  public static Digest of(byte[] sha256) {
    return new Digest(HexFormat.of().formatHex(sha256));
  }

  /** Hashes the bytes. */
  public static Digest ofContent(byte[] content) {
    return of(sha256().digest(content));
  }

  /** A fresh SHA-256 computation. */
  public static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256 (java.security.MessageDigest)", e);
    }
  }

  /** The 32 bytes. */
  public byte[] bytes() {
    return HexFormat.of().parseHex(hex);
  }

  @Override
  public int compareTo(Digest other) {
    return hex.compareTo(other.hex);
  }

  @Override
  public String toString() {
    return hex;
  }
}
