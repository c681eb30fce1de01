package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.Arrays;
import org.bouncycastle.crypto.SecretWithEncapsulation;
import org.bouncycastle.crypto.digests.SHA3Digest;
import org.bouncycastle.crypto.digests.SHAKEDigest;
import org.bouncycastle.crypto.kems.MLKEMExtractor;
import org.bouncycastle.crypto.kems.MLKEMGenerator;
import org.bouncycastle.crypto.params.MLKEMParameters;
import org.bouncycastle.crypto.params.MLKEMPrivateKeyParameters;
import org.bouncycastle.crypto.params.MLKEMPublicKeyParameters;

/**
 * Key encapsulation by ML-KEM-768 and X25519 together (X-Wing, draft-connolly-cfrg-xwing-kem;
 * MLKEM768-X25519 of HPKE): whoever wants the secret has to break both.
 */
public final class Hybrid {
  /** Of a private key: the seed of both halves. */
  public static final int SEED_BYTES = 32;

  /** Of a public key: ML-KEM's, then Curve25519's. */
  public static final int PUBLIC_BYTES = 1184 + X25519.KEY_BYTES;

  static final int CIPHERTEXT_BYTES = 1088 + X25519.KEY_BYTES;

  private static final MLKEMParameters PARAMETERS = MLKEMParameters.ml_kem_768;
  private static final int ML_SEED_BYTES = 64;
  private static final int ML_PUBLIC_BYTES = PUBLIC_BYTES - X25519.KEY_BYTES;
  private static final int ML_CIPHERTEXT_BYTES = CIPHERTEXT_BYTES - X25519.KEY_BYTES;

  /** X-Wing's own; six characters that draw the fighter. */
  private static final byte[] LABEL = "\\.//^\\".getBytes(US_ASCII);

  private Hybrid() {}

  /** A secret and how to tell it to the holder of a key. */
  static final class Encapsulated {
    private final byte[] ciphertext;
    private final byte[] secret;

    Encapsulated(byte[] ciphertext, byte[] secret) {
      this.ciphertext = ciphertext;
      this.secret = secret;
    }

    /** What is sent. */
    byte[] ciphertext() {
      return ciphertext;
    }

    /** 32 bytes; the caller wipes them. */
    byte[] secret() {
      return secret;
    }
  }

  /** The public half of a seed. */
  public static byte[] publicOf(byte[] seed) throws IOException {
    try (Halves halves = Halves.of(seed)) {
      return halves.publicKey();
    }
  }

  /**
   * A fresh secret for the holder of a public key.
   *
   * @throws IllegalArgumentException if ML-KEM's half is no public key
   */
  static Encapsulated encapsulate(byte[] publicKey, SecureRandom random)
      throws IOException, X25519.LowOrderException {
    byte[] ml = Arrays.copyOf(publicKey, ML_PUBLIC_BYTES);
    byte[] point = Arrays.copyOfRange(publicKey, ML_PUBLIC_BYTES, PUBLIC_BYTES);
    SecretWithEncapsulation quantum =
        new MLKEMGenerator(random)
            .generateEncapsulated(new MLKEMPublicKeyParameters(PARAMETERS, ml));
    byte[] ephemeral = new byte[X25519.KEY_BYTES];
    random.nextBytes(ephemeral);
    try {
      byte[] share = X25519.publicOf(ephemeral);
      byte[] secret = combine(quantum.getSecret(), X25519.agree(ephemeral, point), share, point);
      return new Encapsulated(joined(quantum.getEncapsulation(), share), secret);
    } finally {
      Arrays.fill(ephemeral, (byte) 0);
    }
  }

  /** The secret of a ciphertext; another one if it is not for this seed. The caller wipes it. */
  static byte[] decapsulate(byte[] ciphertext, byte[] seed)
      throws IOException, X25519.LowOrderException {
    byte[] ml = Arrays.copyOf(ciphertext, ML_CIPHERTEXT_BYTES);
    byte[] share = Arrays.copyOfRange(ciphertext, ML_CIPHERTEXT_BYTES, CIPHERTEXT_BYTES);
    try (Halves halves = Halves.of(seed)) {
      byte[] quantum = new MLKEMExtractor(halves.quantum).extractSecret(ml);
      return combine(
          quantum, X25519.agree(halves.classic, share), share, X25519.publicOf(halves.classic));
    }
  }

  /** X-Wing, "Combiner". Both secrets are wiped. */
  private static byte[] combine(byte[] quantum, byte[] classic, byte[] share, byte[] point) {
    var digest = new SHA3Digest(256);
    for (byte[] part : new byte[][] {quantum, classic, share, point, LABEL}) {
      digest.update(part, 0, part.length);
    }
    Arrays.fill(quantum, (byte) 0);
    Arrays.fill(classic, (byte) 0);
    byte[] secret = new byte[32];
    digest.doFinal(secret, 0);
    return secret;
  }

  private static byte[] joined(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  /** The two private keys that a seed means. */
  private static final class Halves implements AutoCloseable {
    private final MLKEMPrivateKeyParameters quantum;
    private final byte[] classic;

    private Halves(MLKEMPrivateKeyParameters quantum, byte[] classic) {
      this.quantum = quantum;
      this.classic = classic;
    }

    /** X-Wing, "Key derivation": SHAKE-256 of the seed. */
    static Halves of(byte[] seed) {
      byte[] expanded = new byte[ML_SEED_BYTES + X25519.KEY_BYTES];
      var shake = new SHAKEDigest(256);
      shake.update(seed, 0, seed.length);
      shake.doFinal(expanded, 0, expanded.length);
      byte[] mlSeed = Arrays.copyOf(expanded, ML_SEED_BYTES);
      try {
        return new Halves(
            new MLKEMPrivateKeyParameters(PARAMETERS, mlSeed),
            Arrays.copyOfRange(expanded, ML_SEED_BYTES, expanded.length));
      } finally {
        Arrays.fill(expanded, (byte) 0);
        Arrays.fill(mlSeed, (byte) 0);
      }
    }

    byte[] publicKey() throws IOException {
      return joined(quantum.getPublicKey(), X25519.publicOf(classic));
    }

    @Override
    public void close() {
      quantum.destroy();
      Arrays.fill(classic, (byte) 0);
    }
  }
}
