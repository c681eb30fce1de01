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

  /** A private key on Curve25519. */
  final class X25519Key implements IdentityKey {
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

    /** The public half. */
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

    /** {@code AGE-SECRET-KEY-1…}; the caller wipes it. */
    char[] text() {
      char[] text = Bech32.encode(IdentityFile.PREFIX, secret);
      for (int i = 0; i < text.length; i++) {
        text[i] = Character.toUpperCase(text[i]);
      }
      return text;
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
