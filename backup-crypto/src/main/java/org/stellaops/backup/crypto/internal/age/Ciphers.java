package org.stellaops.backup.crypto.internal.age;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.util.Optional;
import javax.crypto.Cipher;
import org.conscrypt.Conscrypt;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Who computes ChaCha20-Poly1305: the JDK (about 0.2 GB/s on 17, 0.4 on 25), or Conscrypt (about
 * 1.5 GB/s), which need not be there. Bouncy Castle is not asked: it reaches 0.13.
 *
 * <p>Conscrypt is used as an object of ours and not registered with {@link java.security.Security}:
 * the process belongs to someone else.
 */
public final class Ciphers {
  static final String CHACHA20_POLY1305 = "ChaCha20-Poly1305";

  private final @Nullable Provider provider;

  private Ciphers(@Nullable Provider provider) {
    this.provider = provider;
  }

  /** Whatever the process has chosen; as a rule the JDK. Loads no native code of its own. */
  public static Ciphers jdk() {
    return new Ciphers(null);
  }

  /** Conscrypt; empty if it is not on the class path or its native library does not load. */
  public static Optional<Ciphers> conscrypt() {
    try {
      if (!Conscrypt.isAvailable()) {
        return Optional.empty();
      }
      Provider provider = Conscrypt.newProvider();
      Cipher.getInstance(CHACHA20_POLY1305, provider);
      return Optional.of(new Ciphers(provider));
    } catch (LinkageError | GeneralSecurityException | RuntimeException e) {
      // An accelerator that cannot run here is as good as none: the JDK computes the same bytes.
      return Optional.empty();
    }
  }

  /** A cipher for one thread. */
  Cipher chaCha20Poly1305() throws IOException {
    try {
      return provider == null
          ? Cipher.getInstance(CHACHA20_POLY1305)
          : Cipher.getInstance(CHACHA20_POLY1305, provider);
    } catch (GeneralSecurityException e) {
      throw new BackupException.Crypto(
          CoreFailure.SEALING_FAILED, "this JVM offers no " + CHACHA20_POLY1305, e);
    }
  }

  @Override
  public String toString() {
    return provider == null ? "JDK" : provider.getName();
  }
}
