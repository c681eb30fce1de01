package org.stellaops.backup.testkit;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/** One secret and the byte strings it would be found as. */
final class Canary {
  /** Fewer turn up by chance: 4 given bytes once in about 4 GiB of random ones. */
  private static final int MIN_BYTES = 8;

  private static final List<Charset> CHARSETS =
      List.of(StandardCharsets.UTF_8, StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE);

  private final int number;
  private final List<Form> forms;

  private Canary(int number, List<Form> forms) {
    this.number = number;
    this.forms = forms;
  }

  /**
   * A secret that only its number will be told of.
   *
   * @throws IllegalArgumentException if it is too short to be told from chance
   */
  static Canary of(int number, String secret) {
    byte[] plain = secret.getBytes(StandardCharsets.UTF_8);
    if (plain.length < MIN_BYTES) {
      throw new IllegalArgumentException(
          "canary %d has %d bytes, needed are %d or more"
              .formatted(number, plain.length, MIN_BYTES));
    }
    List<Form> forms = new ArrayList<>();
    CHARSETS.forEach(c -> forms.add(new Form(c.name(), secret.getBytes(c), false)));
    forms.add(text("hex", HexFormat.of().formatHex(plain)));
    forms.add(text("upper-case hex", HexFormat.of().withUpperCase().formatHex(plain)));
    for (int alignment = 0; alignment < 3; alignment++) {
      forms.add(text("base64", inner(Base64.getEncoder(), plain, alignment)));
      forms.add(text("base64url", inner(Base64.getUrlEncoder(), plain, alignment)));
    }
    return new Canary(number, List.copyOf(forms));
  }

  int number() {
    return number;
  }

  List<Form> forms() {
    return forms;
  }

  private static Form text(String how, String encoded) {
    return new Form(how, encoded.getBytes(StandardCharsets.US_ASCII), true);
  }

  /**
   * The characters that base64 gives the secret wherever it stands among other bytes: those that
   * share no bit with what comes before or after.
   */
  private static String inner(Base64.Encoder encoder, byte[] secret, int alignment) {
    byte[] shifted = new byte[alignment + secret.length];
    System.arraycopy(secret, 0, shifted, alignment, secret.length);
    String encoded = encoder.withoutPadding().encodeToString(shifted);
    int from = (alignment * Byte.SIZE + 5) / 6;
    int to = shifted.length * Byte.SIZE / 6;
    return encoded.substring(from, to);
  }

  /** One way to write a secret; whether line breaks may stand in it is {@link #isBroken}. */
  static final class Form {
    private final String how;
    private final byte[] bytes;
    private final boolean isBroken;

    Form(String how, byte[] bytes, boolean isBroken) {
      this.how = how;
      this.bytes = bytes;
      this.isBroken = isBroken;
    }

    String how() {
      return how;
    }

    int length() {
      return bytes.length;
    }

    boolean isBroken() {
      return isBroken;
    }

    /** Whether it stands among the first {@code length} bytes of {@code window}. */
    boolean isIn(byte[] window, int length) {
      for (int i = 0; i + bytes.length <= length; i++) {
        if (window[i] == bytes[0]
            && Arrays.equals(window, i, i + bytes.length, bytes, 0, bytes.length)) {
          return true;
        }
      }
      return false;
    }
  }
}
