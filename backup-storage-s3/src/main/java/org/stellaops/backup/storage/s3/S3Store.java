package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.MetadataDirective;
import software.amazon.awssdk.services.s3.model.S3Object;

/** The open store of an {@link S3Sink}: one request or a few for each operation. */
final class S3Store implements ObjectStore {
  private final S3Location location;
  private final S3Terms terms;
  private final S3Pace pace;
  private final Runnable closing;
  private final AtomicBoolean isClosed = new AtomicBoolean();
  private final S3Gate gate = new S3Gate();
  private final S3Calls calls;
  private final S3Upload upload;
  private final S3Deletion deletion;
  private final S3Digests digests;

  S3Store(
      S3Location location,
      S3Terms terms,
      S3Pace pace,
      S3Connection connection,
      StoreContext context) {
    this.location = location;
    this.terms = terms;
    this.pace = pace;
    S3Connection.Opened opened = connection.open(location, pace, gate);
    closing = opened.closing();
    calls =
        new S3Calls(
            opened.client(),
            location,
            gate,
            context.stopping(),
            new S3Failures(location, connection.clock()),
            pace.attempts());
    upload = new S3Upload(calls, terms, pace, context.clock());
    deletion = new S3Deletion(calls, terms, pace, context.clock());
    digests = new S3Digests(calls, upload);
  }

  /** A bucket that protects nothing is noticed before anything relies on it. */
  void requireLock() throws IOException {
    if (terms.lock() != null) {
      new S3Locks(calls, terms.lock()).require("open");
    }
  }

  /** How many requests may be under way. */
  int limit() {
    return gate.limit();
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    requireOpen();
    upload.create("put " + name, name, body);
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    requireOpen();
    deletion.delete("delete " + name, location.key(name));
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    requireOpen();
    return S3Download.open(calls, pace, "open " + name, location.key(name), range);
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) throws IOException {
    requireOpen();
    if (!isPossible(prefix)) {
      return new ObjectPage(List.of(), PageToken.END);
    }
    ListObjectsV2Request.Builder request =
        ListObjectsV2Request.builder()
            .bucket(location.bucket())
            .prefix(location.prefix() + askable(prefix))
            .maxKeys(pace.pageSize());
    if (!from.equals(PageToken.START)) {
      request.continuationToken(from.value());
    }
    String tried = "list '%s'".formatted(prefix);
    ListObjectsV2Response page = calls.make(tried, c -> c.listObjectsV2(request.build()));
    List<StoredObject> objects = new ArrayList<>();
    for (S3Object object : page.contents()) {
      location
          .name(object.key())
          // Some servers read "//" as "/", and so show more than was asked for.
          .filter(name -> name.value().startsWith(prefix))
          .ifPresent(
              name ->
                  objects.add(
                      new StoredObject(name, object.size(), object.eTag().replace("\"", ""))));
    }
    boolean isMore = Boolean.TRUE.equals(page.isTruncated());
    if (isMore) {
      calls.failures().requireFurther(tried, from.value(), page.nextContinuationToken());
    }
    return new ObjectPage(
        objects, isMore ? new PageToken(page.nextContinuationToken()) : PageToken.END);
  }

  /** Whether a name can begin so. Servers that keep files refuse what cannot, as they should. */
  private static boolean isPossible(String prefix) {
    String[] segments = prefix.split("/", -1);
    return Stream.of(segments)
        .limit(segments.length - 1L)
        .noneMatch(s -> s.isEmpty() || s.equals(".") || s.equals(".."));
  }

  /**
   * The same, or a shorter one where servers that keep files refuse it: what is more is left out.
   */
  private static String askable(String prefix) {
    String last = prefix.substring(prefix.lastIndexOf('/') + 1);
    boolean isRefused = last.equals(".") || last.equals("..");
    return isRefused ? prefix.substring(0, prefix.length() - last.length()) : prefix;
  }

  @Override
  public StoreTraits traits() {
    return new StoreTraits(terms.isConditional(), true, pace.maxObjectBytes(), terms.labels());
  }

  @Override
  public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
    StoreAbility.Capacity capacity = OptionalLong::empty;
    StoreAbility.Strays strays = new S3Strays(calls, pace, upload);
    StoreAbility.Times times = this::storedAt;
    StoreAbility.Mending mending = this::mend;
    StoreAbility.ServerCopy copies =
        (from, name) ->
            new S3Copy(calls, terms, pace, upload).copy(from.ability(S3Origin.class), name);
    StoreAbility.Retrieval archive = new S3Archive(calls, pace);
    StoreAbility.Exposure exposure = new S3Exposure(calls, terms);
    StoreAbility.History history = new S3History(calls, terms, pace, upload);
    Stream<StoreAbility> all =
        Stream.of(
            capacity,
            strays,
            times,
            mending,
            history,
            copies,
            new S3Origin(calls),
            archive,
            exposure);
    Stream<StoreAbility> locking =
        Stream.ofNullable(terms.lock()).map(lock -> new S3Locks(calls, lock));
    Stream<StoreAbility> stating =
        terms.checksums() == S3Sink.Checksums.SHA256 ? Stream.of(digests) : Stream.empty();
    return Stream.of(all, locking, stating)
        .flatMap(a -> a)
        .filter(type::isInstance)
        .<A>map(type::cast)
        .findFirst();
  }

  private Optional<Instant> storedAt(ObjectName name) throws IOException {
    requireOpen();
    return calls.head("stat " + name, location.key(name)).map(HeadObjectResponse::lastModified);
  }

  /** What is damaged is copied aside first; a put then replaces it in one request. */
  private void mend(ObjectName name, ObjectBody body) throws IOException {
    requireOpen();
    String tried = "mend " + name;
    HeadObjectResponse damaged = calls.headOf(tried, location.key(name));
    String aside = freeNameBeside(tried, name, damaged.eTag());
    if (!aside.isEmpty()) {
      calls.make(
          tried,
          c ->
              c.copyObject(
                  r ->
                      r.sourceBucket(location.bucket())
                          .sourceKey(location.key(name))
                          .copySourceIfMatch(damaged.eTag())
                          .destinationBucket(location.bucket())
                          .destinationKey(aside)
                          .metadataDirective(MetadataDirective.COPY)));
    }
    upload.replace(tried, name, body);
  }

  /** Empty if an earlier attempt came as far as having it there. */
  private String freeNameBeside(String tried, ObjectName name, String tag) throws BackupException {
    for (int number = 1; ; number++) {
      String aside = location.key(name) + ".damaged" + (number == 1 ? "" : "-" + number);
      Optional<HeadObjectResponse> there = calls.head(tried, aside);
      if (there.isEmpty()) {
        return aside;
      }
      if (there.get().eTag().equals(tag)) {
        return "";
      }
    }
  }

  @Override
  public void close() {
    if (isClosed.compareAndSet(false, true)) {
      closing.run();
    }
  }

  private void requireOpen() {
    if (isClosed.get()) {
      throw new IllegalStateException("the store in " + location.describe() + " is closed");
    }
  }
}
