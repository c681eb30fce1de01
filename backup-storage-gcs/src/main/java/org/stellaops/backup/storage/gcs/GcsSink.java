package org.stellaops.backup.storage.gcs;

import com.google.auth.Credentials;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.function.Supplier;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.store.LocationUri;
import org.stellaops.backup.store.RetryPolicy;

/**
 * A bucket of Google Cloud Storage as a store of objects; the name of an object is the same there,
 * behind a prefix.
 *
 * <pre>{@code
 * BackupSink sink =
 *     GcsSink.bucket("example-backups")
 *         .serviceAccount(() -> Secret.of(keyFile))
 *         .prefix("site-a");
 * }</pre>
 *
 * <p>Credentials are those that are given here and no others; the SDK's chain of defaults only by
 * {@link #defaultCredentials}. The SDK's own retries are off: this module knows when a put is its
 * own, and tries again by itself ({@link #retry}).
 *
 * <p>An object is created with {@code ifGenerationMatch=0}, so that of several writers exactly one
 * wins, with its CRC-32C, which Google compares before the object appears, and with a nonce by
 * which a writer that lost the reply knows its own. One larger than a part is sent in a resumable
 * upload and appears when its last part was accepted; uploads that nobody ends are removed by
 * Google after a week and are never listed.
 *
 * <p>A value; every method gives a new one.
 */
public final class GcsSink implements BackupSink {
  private final GcsSettings settings;

  private GcsSink(GcsSettings settings) {
    this.settings = settings;
  }

  /** The bucket of that name, which must exist; who asks is said by others. */
  public static GcsSink bucket(String name) {
    return new GcsSink(GcsSettings.of(name));
  }

  /**
   * What a URI means: {@code gs://bucket/folder}. Needs credentials before it can be opened.
   *
   * <p>Settings: {@code endpoint}, {@code storage-class}.
   *
   * @throws BackupException.Refused LOCATION_REFUSED, SECRET_IN_LOCATION
   */
  public static GcsSink of(URI uri) throws BackupException.Refused {
    return GcsLocationProvider.sink(LocationUri.parse(uri));
  }

  /** Another address than {@code https://storage.googleapis.com}: an emulator, a private one. */
  public GcsSink endpoint(URI service) {
    return new GcsSink(settings.with(cloud -> cloud.withEndpoint(service)));
  }

  /**
   * Asks with the key of a service account.
   *
   * @param keyFile the JSON that Google made; asked for whenever the sink is opened, and closed
   */
  public GcsSink serviceAccount(Supplier<Secret> keyFile) {
    return new GcsSink(settings.with(new GcsCredential.ServiceAccount(keyFile)));
  }

  /** Asks with these; the caller chooses and configures where they come from. */
  public GcsSink credentials(Credentials credentials) {
    return new GcsSink(settings.with(new GcsCredential.Given(credentials)));
  }

  /**
   * Asks with Google's Application Default Credentials: the environment, well-known files, the
   * metadata service.
   */
  public GcsSink defaultCredentials() {
    return new GcsSink(settings.with(new GcsCredential.Defaults()));
  }

  /** Asks as nobody: for emulators. */
  public GcsSink withoutCredentials() {
    return new GcsSink(settings.with(new GcsCredential.Nobody()));
  }

  /** Where in the bucket objects are: their names follow {@code prefix} and a slash. */
  public GcsSink prefix(String prefix) {
    return new GcsSink(settings.with(cloud -> cloud.withPrefix(prefix)));
  }

  /**
   * The class of what is put from now on; without it the bucket's default. All of them can be read
   * at once, for a price.
   */
  public GcsSink storageClass(StorageClass given) {
    return new GcsSink(settings.with(given));
  }

  /**
   * What {@link org.stellaops.backup.spi.StoreAbility.Locking#lock} sets; without it the store does
   * not lock. The bucket must have been made with object retention.
   */
  public GcsSink retention(Retention mode) {
    return new GcsSink(settings.with(mode));
  }

  /** Says something about where this is, as {@code region} and {@code europe-west3}. */
  public GcsSink label(String key, String value) {
    return new GcsSink(settings.with(cloud -> cloud.withLabel(key, value)));
  }

  /**
   * Largest piece that is sent or fetched at once, and held in memory by each put and each open
   * stream: a multiple of 256 KiB, up to 256 MiB; 8 MiB unless said.
   */
  public GcsSink partBytes(int bytes) {
    return new GcsSink(settings.with(cloud -> cloud.withPartBytes(bytes)));
  }

  /** How long Google may be silent before a request has failed; a minute unless said. */
  public GcsSink timeout(Duration silence) {
    return new GcsSink(settings.with(cloud -> cloud.withTimeout(silence)));
  }

  /**
   * How often each request is tried, and how long to wait in between, when it failed in a way that
   * may pass; {@link RetryPolicy#STANDARD} unless said. A {@link
   * org.stellaops.backup.store.RetryingStore} around the sink would only multiply that.
   */
  public GcsSink retry(RetryPolicy policy) {
    return new GcsSink(settings.with(cloud -> cloud.withRetry(policy)));
  }

  @Override
  public String describe() {
    return settings.describe();
  }

  /**
   * Opens it without asking the bucket anything.
   *
   * @throws IllegalStateException if nothing was said of credentials
   */
  @Override
  public ObjectStore open(StoreContext context) throws IOException {
    return new GcsStore(GcsConnection.open(settings), settings, context);
  }

  @Override
  public String toString() {
    return "GcsSink " + describe();
  }

  /** What storing and reading an object costs. */
  public enum StorageClass {
    /** Read often. */
    STANDARD,
    /** At least 30 days. */
    NEARLINE,
    /** At least 90 days. */
    COLDLINE,
    /** At least a year. */
    ARCHIVE
  }

  /** How hard a lock is. */
  public enum Retention {
    /** Whoever has the permission may shorten or remove it. */
    UNLOCKED,
    /** Nobody may shorten or remove it. */
    LOCKED
  }
}
