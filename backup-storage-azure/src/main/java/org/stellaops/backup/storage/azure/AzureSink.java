package org.stellaops.backup.storage.azure;

import com.azure.core.credential.TokenCredential;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.store.LocationUri;
import org.stellaops.backup.store.RetryPolicy;

/**
 * A container of Azure Blob Storage as a store of objects; the name of an object is the name of a
 * block blob, behind a prefix.
 *
 * <pre>{@code
 * BackupSink sink =
 *     AzureSink.container("backups")
 *         .account("example")
 *         .sharedKey(() -> Secret.of(key))
 *         .prefix("site-a");
 * }</pre>
 *
 * <p>Credentials are those that are given here and no others: no environment, no metadata service,
 * no chain of defaults. The SDK's own retries are off: this module knows when a put is its own, and
 * tries again by itself ({@link #retry}).
 *
 * <p>A blob is created with {@code If-None-Match: *}, so that of several writers exactly one wins,
 * and carries a nonce by which a writer that lost the reply knows its own. One larger than a part
 * is staged in blocks and appears when their list is committed; blocks that nobody commits are
 * never listed, and are swept ({@link #straysOlderThan}).
 *
 * <p>A value; every method gives a new one.
 */
public final class AzureSink implements BackupSink {
  private final AzureSettings settings;

  private AzureSink(AzureSettings settings) {
    this.settings = settings;
  }

  /** The container of that name, which must exist; where it is and who asks is said by others. */
  public static AzureSink container(String name) {
    return new AzureSink(AzureSettings.of(name));
  }

  /**
   * What a URI means: {@code azure://container/folder?account=example}. Needs credentials before it
   * can be opened.
   *
   * <p>Settings: {@code account} in the public cloud, or the {@code endpoint} of another service
   * with all that stands before the container's name; {@code tier}.
   *
   * @throws BackupException.Refused LOCATION_REFUSED, SECRET_IN_LOCATION
   */
  public static AzureSink of(URI uri) throws BackupException.Refused {
    return AzureLocationProvider.sink(LocationUri.parse(uri), Optional.empty());
  }

  /** The account in Azure's public cloud: {@code https://<name>.blob.core.windows.net}. */
  public AzureSink account(String name) {
    return endpoint(URI.create("https://%s.blob.core.windows.net".formatted(name)));
  }

  /** The service's own address, for other clouds and emulators: all before the container's name. */
  public AzureSink endpoint(URI service) {
    return new AzureSink(settings.with(cloud -> cloud.withEndpoint(service)));
  }

  /**
   * Asks with a key of the account, which may do everything there: a SAS or a token may less. The
   * account is the first label of the endpoint's host.
   *
   * @param key in Base64, as the portal shows it; asked for whenever the sink is opened, and closed
   */
  public AzureSink sharedKey(Supplier<Secret> key) {
    return new AzureSink(settings.with(new AzureCredential.SharedKey(Optional.empty(), key)));
  }

  /** The same for an account whose name is not in the endpoint's host. */
  public AzureSink sharedKey(String account, Supplier<Secret> key) {
    return new AzureSink(settings.with(new AzureCredential.SharedKey(Optional.of(account), key)));
  }

  /**
   * Asks with a shared access signature of the container or account, with the permissions {@code
   * rcwl} and, for whoever deletes, {@code d}.
   *
   * @param token with or without the leading question mark; asked for whenever the sink is opened,
   *     and closed
   */
  public AzureSink sas(Supplier<Secret> token) {
    return new AzureSink(settings.with(new AzureCredential.Sas(token)));
  }

  /** Asks with tokens of Microsoft Entra ID; the caller chooses and configures where from. */
  public AzureSink token(TokenCredential credential) {
    return new AzureSink(settings.with(new AzureCredential.Token(credential)));
  }

  /** Where in the container objects are: their names follow {@code prefix} and a slash. */
  public AzureSink prefix(String prefix) {
    return new AzureSink(settings.with(cloud -> cloud.withPrefix(prefix)));
  }

  /**
   * The tier of what is put from now on; without it the account's default. What is put into {@link
   * Tier#ARCHIVE} cannot be read before it was retrieved: only for a place of copies.
   */
  public AzureSink tier(Tier tier) {
    return new AzureSink(settings.with(tier));
  }

  /**
   * What {@link org.stellaops.backup.spi.StoreAbility.Locking#lock} sets; without it the store does
   * not lock. The container needs version-level immutability.
   */
  public AzureSink immutability(Immutability mode) {
    return new AzureSink(settings.with(mode));
  }

  /** Says something about where this is, as {@code region} and {@code westeurope}. */
  public AzureSink label(String key, String value) {
    return new AzureSink(settings.with(cloud -> cloud.withLabel(key, value)));
  }

  /**
   * Largest piece that is sent or fetched at once, and held in memory by each put and each open
   * stream: 64 KiB to 256 MiB, 8 MiB unless said. A blob has at most 50,000.
   */
  public AzureSink partBytes(int bytes) {
    return new AzureSink(settings.with(cloud -> cloud.withPartBytes(bytes)));
  }

  /** How long a request may take, with its part; three minutes unless said. */
  public AzureSink timeout(Duration request) {
    return new AzureSink(settings.with(cloud -> cloud.withTimeout(request)));
  }

  /**
   * How often each request is tried, and how long to wait in between, when it failed in a way that
   * may pass; {@link RetryPolicy#STANDARD} unless said. A {@link
   * org.stellaops.backup.store.RetryingStore} around the sink would only multiply that.
   */
  public AzureSink retry(RetryPolicy policy) {
    return new AzureSink(settings.with(cloud -> cloud.withRetry(policy)));
  }

  /**
   * How old the newest block of an unfinished upload must be, by Azure's clock, for the upload to
   * be taken for one that a dead process left; a day unless said otherwise. Who removes them needs
   * the right to delete; Azure itself does it after a week.
   */
  public AzureSink straysOlderThan(Duration age) {
    if (age.isNegative()) {
      throw new IllegalArgumentException("negative age: " + age);
    }
    return at(age);
  }

  /** The same; the age may also be one that nothing is younger than. */
  AzureSink at(Duration strayAge) {
    return new AzureSink(settings.withStrayAge(strayAge));
  }

  @Override
  public String describe() {
    return settings.describe();
  }

  /**
   * Opens it without asking Azure anything.
   *
   * @throws IllegalStateException if neither endpoint nor account, or no credential was given
   */
  @Override
  public ObjectStore open(StoreContext context) throws IOException {
    return new AzureStore(AzureConnection.open(settings), settings, context);
  }

  @Override
  public String toString() {
    return "AzureSink " + describe();
  }

  /** How quickly and at which price an object can be read. */
  public enum Tier {
    /** Read often. */
    HOT,
    /** At least 30 days. */
    COOL,
    /** At least 90 days. */
    COLD,
    /** At least 180 days; read hours after it was asked for. */
    ARCHIVE
  }

  /** How hard a lock is. */
  public enum Immutability {
    /** Whoever has the permission may shorten or remove it. */
    UNLOCKED,
    /** Nobody may shorten or remove it, the owner of the account included. */
    LOCKED
  }
}
