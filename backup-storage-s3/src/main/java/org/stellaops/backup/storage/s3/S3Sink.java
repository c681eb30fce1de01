package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.cloud.CloudSettings;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.store.LocationUri;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ObjectLockMode;

/**
 * A bucket of AWS S3, or of whatever speaks its protocol, as a store of objects.
 *
 * <pre>{@code
 * BackupSink sink =
 *     S3Sink.bucket("backups")
 *         .region("eu-central-1")
 *         .prefix("host-a")
 *         .credentials(accessKey, secretKey);
 * }</pre>
 *
 * <p>An object appears by one request of the server's, only where its name is free ({@code
 * If-None-Match: *}). Requests that fail in passing are repeated here, five times, with growing
 * delays and fewer at once when the server asks to slow down; a {@link
 * org.stellaops.backup.store.RetryingStore} around it would only multiply that, and hide what else
 * the store can do. A put whose reply was lost is settled by what the object says of itself.
 *
 * <p>Nothing comes from the environment, system properties or the user's files, unless {@link
 * #defaultCredentials} is called. The bucket has to exist. A value: each method gives another sink.
 */
public final class S3Sink implements BackupSink {
  private final S3Location location;
  private final S3Terms terms;
  private final S3Pace pace;
  private final S3Connection connection;

  private S3Sink(S3Location location, S3Terms terms, S3Pace pace, S3Connection connection) {
    this.location = location;
    this.terms = terms;
    this.pace = pace;
    this.connection = connection;
  }

  /** A bucket. Needs credentials, and a region or an endpoint, before it can be opened. */
  public static S3Sink bucket(String bucket) {
    return new S3Sink(
        new S3Location(requireText("bucket", bucket), "", null, null, false, false),
        S3Terms.PLAIN,
        S3Pace.STANDARD,
        new S3Connection(null, null, false, Clock.systemUTC()));
  }

  /**
   * A bucket, by a client that knows server, region and credentials, and repeats requests as it is
   * configured to.
   *
   * @param client stays the caller's, who closes it after everything that was opened
   */
  public static S3Sink bucket(S3Client client, String bucket) {
    return new S3Sink(
        new S3Location(requireText("bucket", bucket), "", null, null, false, false),
        S3Terms.PLAIN,
        S3Pace.STANDARD,
        new S3Connection(client, null, false, Clock.systemUTC()));
  }

  /**
   * What a URI means: {@code s3://bucket/folder?region=eu-central-1}, or {@code
   * s3:https://minio.example:9000/bucket/folder}. Needs credentials before it can be opened.
   *
   * <p>Settings: {@code endpoint}, {@code region}, {@code follow-region}, {@code path-style} (true
   * with an endpoint unless said otherwise), {@code storage-class}, {@code kms-key}, {@code
   * checksums} (sha256, none), {@code conditional-create} (false for {@link
   * #withoutConditionalCreate}). Object lock is asked for by a call, as are limits.
   *
   * @throws BackupException.Refused LOCATION_REFUSED, SECRET_IN_LOCATION
   */
  public static S3Sink of(URI uri) throws BackupException.Refused {
    return S3LocationProvider.sink(LocationUri.parse(uri));
  }

  /** Only what lies below this folder of the bucket. Empty: all of it. */
  public S3Sink prefix(String folder) {
    String text = folder.endsWith("/") ? folder.substring(0, folder.length() - 1) : folder;
    String prefix = text.isEmpty() ? "" : ObjectName.of(text).value() + "/";
    return at(
        new S3Location(
            location.bucket(),
            prefix,
            location.endpoint(),
            location.region(),
            location.isPathStyle(),
            location.isRegionFollowed()));
  }

  /**
   * Another server than AWS's: {@code https://minio.example:9000}.
   *
   * @throws IllegalArgumentException if it is no such address, or has credentials in it
   */
  public S3Sink endpoint(URI endpoint) {
    return at(
        new S3Location(
            location.bucket(),
            location.prefix(),
            CloudSettings.requireEndpoint(endpoint),
            location.region(),
            location.isPathStyle(),
            location.isRegionFollowed()));
  }

  /** The region of the bucket, which requests are signed for. */
  public S3Sink region(String region) {
    return at(
        new S3Location(
            location.bucket(),
            location.prefix(),
            location.endpoint(),
            requireText("region", region),
            location.isPathStyle(),
            location.isRegionFollowed()));
  }

  /**
   * Follows AWS to the region where the bucket really is. Without it another region than the one
   * that was said is an error, since where backups are may be a promise to somebody.
   */
  public S3Sink followingRegion() {
    return at(
        new S3Location(
            location.bucket(),
            location.prefix(),
            location.endpoint(),
            location.region(),
            location.isPathStyle(),
            true));
  }

  /** The bucket's name in the path of the URL instead of the host name: most servers but AWS. */
  public S3Sink pathStyle() {
    return at(
        new S3Location(
            location.bucket(),
            location.prefix(),
            location.endpoint(),
            location.region(),
            true,
            location.isRegionFollowed()));
  }

  /**
   * With these credentials.
   *
   * @param secretKey read at each request; stays the caller's, who wipes it after everything that
   *     was opened is closed
   */
  public S3Sink credentials(String accessKey, Secret secretKey) {
    requireText("access key", accessKey);
    return credentials(() -> AwsBasicCredentials.create(accessKey, secretKey.use(String::valueOf)));
  }

  /**
   * With whatever a provider of the SDK gives: a role's, a container's, a session's.
   *
   * @param provider stays the caller's
   */
  public S3Sink credentials(AwsCredentialsProvider provider) {
    return by(new S3Connection(null, provider, false, connection.clock()));
  }

  /**
   * With what the SDK's default chain finds: environment, system properties, files of the user, the
   * container or the machine.
   */
  public S3Sink defaultCredentials() {
    return by(new S3Connection(null, null, true, connection.clock()));
  }

  /**
   * The class of storage that objects go to: {@code STANDARD_IA}. Objects of {@code GLACIER} and
   * {@code DEEP_ARCHIVE} cannot be read when a run needs them: that is for copies.
   */
  public S3Sink storageClass(String storageClass) {
    return on(
        new S3Terms(
            requireText("storage class", storageClass),
            terms.kmsKey(),
            terms.lock(),
            terms.checksums(),
            terms.isConditional(),
            terms.labels()));
  }

  /** Objects, which are sealed already, are encrypted by the server with this key of AWS KMS. */
  public S3Sink kmsKey(String keyId) {
    return on(
        new S3Terms(
            terms.storageClass(),
            requireText("key", keyId),
            terms.lock(),
            terms.checksums(),
            terms.isConditional(),
            terms.labels()));
  }

  /**
   * Objects are protected from their first moment, by Object Lock, which the bucket must have been
   * made with; opening a bucket without it is an error. Signs of life are not protected, and small
   * segments of streams for a day.
   *
   * @param period of new objects, at least a day; retention makes it longer for what it keeps
   * @throws IllegalArgumentException if {@link #checksums} are {@link Checksums#NONE}, without
   *     which no bucket with a lock takes an object
   */
  public S3Sink objectLock(LockMode mode, Duration period) {
    if (period.compareTo(Duration.ofDays(1)) < 0) {
      throw new IllegalArgumentException("protection for at least a day, not " + period);
    }
    return on(
        new S3Terms(
            terms.storageClass(),
            terms.kmsKey(),
            new S3Terms.Lock(mode, period),
            terms.checksums(),
            terms.isConditional(),
            terms.labels()));
  }

  /**
   * Which checksums the server is given besides the signature. SHA-256 unless said otherwise.
   *
   * @throws IllegalArgumentException if they are {@link Checksums#NONE} and {@link #objectLock} is
   *     asked for
   */
  public S3Sink checksums(Checksums checksums) {
    return on(
        new S3Terms(
            terms.storageClass(),
            terms.kmsKey(),
            terms.lock(),
            checksums,
            terms.isConditional(),
            terms.labels()));
  }

  /**
   * For servers that do not know {@code If-None-Match} on a put: it is asked first whether the name
   * is free. Two writers could then replace each other's objects, so this is no sink for a plan but
   * a place for copies; {@link org.stellaops.backup.spi.StoreTraits#isCreateExclusive} says so.
   */
  public S3Sink withoutConditionalCreate() {
    return on(
        new S3Terms(
            terms.storageClass(),
            terms.kmsKey(),
            terms.lock(),
            terms.checksums(),
            false,
            terms.labels()));
  }

  /** Where it is, in words of the owner's: {@code label("region", "eu-central-1")}. */
  public S3Sink label(String name, String value) {
    Map<String, String> labels = new LinkedHashMap<>(terms.labels());
    labels.put(requireText("label", name), value);
    return on(
        new S3Terms(
            terms.storageClass(),
            terms.kmsKey(),
            terms.lock(),
            terms.checksums(),
            terms.isConditional(),
            labels));
  }

  /**
   * Parts of one large object are sent at the same time. One by one, by the thread that puts the
   * object, unless said otherwise.
   *
   * @param parts at least 1, and no more than {@link #memory} holds
   * @param executor runs them; must not be one whose threads all wait for puts. Stays the caller's
   */
  public S3Sink parallelism(int parts, Executor executor) {
    if (parts < 1) {
      throw new IllegalArgumentException("at least 1 part at a time, not " + parts);
    }
    return at(
        new S3Pace(
            pace.partBytes(),
            pace.memoryBytes(),
            pace.singleBytes(),
            parts,
            executor,
            pace.attempts(),
            pace.firstDelay(),
            pace.strayAge(),
            pace.pageSize(),
            pace.singleCopyBytes()));
  }

  /**
   * Memory for the parts of one large object; 64 MiB unless said otherwise. Parts are of 16 MiB up
   * to objects of 150 GiB and grow beyond, as there may be 10,000 of them: so this is also a limit
   * on objects, of 10,000 times as much.
   *
   * @param bytes at least 16 MiB
   */
  public S3Sink memory(long bytes) {
    if (bytes < pace.partBytes()) {
      throw new IllegalArgumentException("at least 16 MiB, not " + bytes);
    }
    return at(
        new S3Pace(
            pace.partBytes(),
            bytes,
            pace.singleBytes(),
            pace.parallelism(),
            pace.executor(),
            pace.attempts(),
            pace.firstDelay(),
            pace.strayAge(),
            pace.pageSize(),
            pace.singleCopyBytes()));
  }

  /**
   * How old an unfinished upload must be, by the server's clock, to be taken for one that a dead
   * process left; a day unless said otherwise.
   */
  public S3Sink straysOlderThan(Duration age) {
    if (age.isNegative()) {
      throw new IllegalArgumentException("negative age: " + age);
    }
    return at(
        new S3Pace(
            pace.partBytes(),
            pace.memoryBytes(),
            pace.singleBytes(),
            pace.parallelism(),
            pace.executor(),
            pace.attempts(),
            pace.firstDelay(),
            age,
            pace.pageSize(),
            pace.singleCopyBytes()));
  }

  @Override
  public String describe() {
    return location.describe();
  }

  /**
   * Opens it.
   *
   * @throws IllegalStateException if credentials, or both region and endpoint, are missing
   */
  @Override
  public ObjectStore open(StoreContext context) throws IOException {
    S3Store store = openUnchecked(context);
    boolean isDone = false;
    try {
      store.requireLock();
      isDone = true;
      return store;
    } finally {
      if (!isDone) {
        store.close();
      }
    }
  }

  @Override
  public String toString() {
    return "S3Sink " + describe();
  }

  /** Opens it without a look at the bucket. */
  S3Store openUnchecked(StoreContext context) {
    return new S3Store(location, terms, pace, connection, context);
  }

  /** With other sizes and delays than standard: for tests. */
  S3Sink at(S3Pace other) {
    return new S3Sink(location, terms, other, connection);
  }

  /** Signed by another clock: for tests. */
  S3Sink signedBy(Clock clock) {
    return by(
        new S3Connection(
            connection.given(), connection.credentials(), connection.isChainAsked(), clock));
  }

  private S3Sink at(S3Location other) {
    return new S3Sink(other, terms, pace, connection);
  }

  private S3Sink on(S3Terms other) {
    return new S3Sink(location, other, pace, connection);
  }

  private S3Sink by(S3Connection other) {
    return new S3Sink(location, terms, pace, other);
  }

  private static String requireText(String what, @Nullable String text) {
    if (text == null || text.isBlank()) {
      throw new IllegalArgumentException("no " + what);
    }
    return text;
  }

  /** Who can take a protection away before its time. */
  public enum LockMode {
    /** Whoever has the right to bypass it. */
    GOVERNANCE(ObjectLockMode.GOVERNANCE),
    /** Nobody, not the owner of the account either. */
    COMPLIANCE(ObjectLockMode.COMPLIANCE);

    final ObjectLockMode model;

    LockMode(ObjectLockMode model) {
      this.model = model;
    }
  }

  /** Which checksums the server is given, to refuse bytes that changed on the way. */
  public enum Checksums {
    /** Of the stored bytes, in {@code x-amz-checksum-sha256}: AWS, MinIO, Ceph, R2. */
    SHA256,
    /**
     * None but that of the signature, where the connection is not encrypted: GCS, older servers.
     */
    NONE
  }
}
