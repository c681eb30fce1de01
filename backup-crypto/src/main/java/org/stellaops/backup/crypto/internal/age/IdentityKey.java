package org.stellaops.backup.crypto.internal.age;

import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Stanza;

/** One secret that opens stanzas of one type. */
public sealed interface IdentityKey {
  /** The key of one file; empty if the stanza is not for this key. */
  Optional<FileKey> unwrap(Stanza stanza) throws IOException;

  /** The secret is gone afterwards. */
  void wipe();

  /** A private key with a public half, which can be written down. */
  sealed interface Pair extends IdentityKey {
    /** The public half. */
    byte[] recipient();

    /** The line of an identity file; the caller wipes it. */
    char[] text();
  }

  /** In upper case, as age writes private keys. */
  private static char[] upper(char[] text) {
    for (int i = 0; i < text.length; i++) {
      text[i] = Character.toUpperCase(text[i]);
    }
    return text;
  }

  /** A private key against quantum computers, too. */
  final class HybridKey implements Pair {
    private final byte[] seed;
    private final byte[] recipient;

    /**
     * Computes the public half.
     *
     * @param seed 32 bytes; taken over
     */
    public HybridKey(byte[] seed) throws IOException {
      this.seed = seed;
      this.recipient = Hybrid.publicOf(seed);
    }

    @Override
    public byte[] recipient() {
      return recipient.clone();
    }

    @Override
    public Optional<FileKey> unwrap(Stanza stanza) throws IOException {
      return HybridWrap.open(stanza, seed);
    }

    @Override
    public void wipe() {
      Arrays.fill(seed, (byte) 0);
    }

    /** {@code AGE-SECRET-KEY-PQ-1…}. */
    @Override
    public char[] text() {
      return upper(Bech32.encode(IdentityFile.HYBRID_PREFIX, seed));
    }
  }

  /** A private key on Curve25519. */
  final class X25519Key implements Pair {
    private final byte[] secret;
    private final byte[] recipient;

    /**
     * Computes the public half.
     *
     * @param secret 32 bytes; taken over
     */
    public X25519Key(byte[] secret) throws IOException {
      this.secret = secret;
      this.recipient = X25519.publicOf(secret);
    }

    @Override
    public byte[] recipient() {
      return recipient.clone();
    }

    @Override
    public Optional<FileKey> unwrap(Stanza stanza) throws IOException {
      return X25519Wrap.open(stanza, secret, recipient);
    }

    @Override
    public void wipe() {
      Arrays.fill(secret, (byte) 0);
    }

    /** {@code AGE-SECRET-KEY-1…}. */
    @Override
    public char[] text() {
      return upper(Bech32.encode(IdentityFile.PREFIX, secret));
    }
  }

  /** A passphrase. */
  final class PassphraseKey implements IdentityKey {
    private final byte[] passphrase;

    /**
     * Over a copy that nobody else has.
     *
     * @param passphrase UTF-8; taken over
     */
    public PassphraseKey(byte[] passphrase) {
      this.passphrase = passphrase;
    }

    @Override
    public Optional<FileKey> unwrap(Stanza stanza) throws IOException {
      return ScryptWrap.open(stanza, passphrase);
    }

    @Override
    public void wipe() {
      Arrays.fill(passphrase, (byte) 0);
    }
  }
}
