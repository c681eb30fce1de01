package org.stellaops.backup.spi;

import java.util.function.Supplier;
import org.stellaops.backup.model.Secret;

/**
 * Who asks a store, said apart from where it is: a URI holds no credentials. Each kind of store
 * says which of these it takes, and refuses the others. A value, which never prints a secret.
 */
public final class StoreCredentials {
  private final Kind kind;
  private final String id;
  private final Supplier<Secret> secret;

  private StoreCredentials(Kind kind, String id, Supplier<Secret> secret) {
    this.kind = kind;
    this.id = id;
    this.secret = secret;
  }

  /** What there is. */
  public enum Kind {
    /** None: enough for directories. */
    NONE,
    /** Asking as nobody, which was said on purpose: public buckets, emulators. */
    ANONYMOUS,
    /** Whatever the cloud's own library finds in the environment, in files, on the machine. */
    DEFAULT_CHAIN,
    /** A name and its secret: an access key, an account's key. */
    KEY,
    /** One text that is name and secret together: a signature, a key file. */
    DOCUMENT
  }

  /** None. */
  public static StoreCredentials none() {
    return new StoreCredentials(Kind.NONE, "", StoreCredentials::nothing);
  }

  /** Asks as nobody. */
  public static StoreCredentials anonymous() {
    return new StoreCredentials(Kind.ANONYMOUS, "", StoreCredentials::nothing);
  }

  /**
   * The chain of defaults of the cloud's own library. This is the only one of these by which
   * anything is read from the environment, the user's files or the machine.
   */
  public static StoreCredentials defaultChain() {
    return new StoreCredentials(Kind.DEFAULT_CHAIN, "", StoreCredentials::nothing);
  }

  /**
   * A name and its secret: S3's access key and secret key, Azure's account and its key.
   *
   * @param secret asked for when a store is opened or first used; what it gives is closed
   * @throws IllegalArgumentException if {@code id} is blank
   */
  public static StoreCredentials key(String id, Supplier<Secret> secret) {
    if (id.isBlank()) {
      throw new IllegalArgumentException("no name that the secret belongs to");
    }
    return new StoreCredentials(Kind.KEY, id, secret);
  }

  /**
   * One text: Azure's shared access signature, the key file of Google's service account.
   *
   * @param secret asked for when a store is opened; what it gives is closed
   */
  public static StoreCredentials document(Supplier<Secret> secret) {
    return new StoreCredentials(Kind.DOCUMENT, "", secret);
  }

  /** Which these are. */
  public Kind kind() {
    return kind;
  }

  /** Whose the secret is; empty unless these are a {@link Kind#KEY}. */
  public String id() {
    return id;
  }

  /** Gives the secret, which whoever asked closes; only of a {@code KEY} or {@code DOCUMENT}. */
  public Supplier<Secret> secret() {
    return secret;
  }

  @Override
  public String toString() {
    return "StoreCredentials " + kind;
  }

  private static Secret nothing() {
    throw new IllegalStateException("these credentials have no secret");
  }
}
