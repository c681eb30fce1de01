package org.stellaops.backup.internal.repository;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.internal.pipeline.DigestingBuffer;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.StorageRoom;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Decryptor;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoredObject;

/** The few things that a repository does with a store. From any thread. */
public final class StoreAccess {
  private static final Logger LOG = LoggerFactory.getLogger(StoreAccess.class);

  /** What is read into memory: the largest object of the format. */
  private static final long MAX_WHOLE_BYTES = 64L << 20;

  private final ReadableStore store;

  /**
   * @param store stays the caller's
   */
  public StoreAccess(ReadableStore store) {
    this.store = store;
  }

  /** All of an object, which must not be larger than {@code maxBytes}. */
  byte[] read(ObjectName name, int maxBytes) throws IOException {
    try (InputStream in = store.open(name, ByteRange.ALL)) {
      return DigestingBuffer.readBounded(in, maxBytes, name.value());
    }
  }

  /** All of an object, or empty if there is none. */
  Optional<byte[]> find(ObjectName name, int maxBytes) throws IOException {
    try {
      return Optional.of(read(name, maxBytes));
    } catch (BackupException.Sink e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** The stored bytes of an object. The caller closes. */
  InputStream open(ObjectName name, ByteRange range) throws IOException {
    return store.open(name, range);
  }

  /** Every object whose name starts with {@code prefix}. */
  List<StoredObject> list(String prefix) throws IOException {
    List<StoredObject> all = new ArrayList<>();
    forEach(prefix, all::add);
    return all;
  }

  private void forEach(String prefix, Row row) throws IOException {
    PageToken token = PageToken.START;
    while (!token.equals(PageToken.END)) {
      ObjectPage page = store.list(prefix, token);
      for (StoredObject object : page.objects()) {
        row.take(object);
      }
      token = page.next();
    }
  }

  /** Takes an object that is there. */
  @FunctionalInterface
  public interface Listed {
    /**
     * @param storedBytes that it has, which are those that its name says unless it is damaged
     */
    void accept(ObjectRef object, long storedBytes) throws IOException;
  }

  /** Takes an object of whatever name. */
  @FunctionalInterface
  public interface Row {
    /** Takes one. */
    void take(StoredObject object) throws IOException;
  }

  /** Everything that a writer stored, but for its entries, page by page. */
  public void everythingOf(String writer, Row row) throws IOException {
    forEach(Names.writerPrefix(writer), row);
  }

  /** Everything that is there, page by page. */
  public void everything(Row row) throws IOException {
    forEach("", row);
  }

  /** Every content-named object of a writer, page by page. */
  public void objectsOf(String writer, Listed listed) throws IOException {
    forEach(
        Names.writerPrefix(writer),
        object -> {
          Optional<ObjectRef> ref = parsed(object.name());
          if (ref.isPresent()) {
            listed.accept(ref.get(), object.lengthBytes());
          }
        });
  }

  private static Optional<ObjectRef> parsed(ObjectName name) {
    try {
      return Optional.of(ObjectRef.parse(name.value()));
    } catch (BackupException e) {
      LOG.debug("{} is no object of the format", name);
      return Optional.empty();
    }
  }

  /** When an object was stored, by the store's clock; empty where it does not know. */
  public Optional<Instant> storedAt(ObjectName name) throws IOException {
    Optional<StoreAbility.Times> times = store.ability(StoreAbility.Times.class);
    return times.isPresent() ? times.get().storedAt(name) : Optional.empty();
  }

  /** Where objects may lie that cannot be read at once. */
  public Optional<StoreAbility.Retrieval> retrieval() {
    return store.ability(StoreAbility.Retrieval.class);
  }

  /** What the store keeps of what was deleted or replaced there, if it keeps anything. */
  public Optional<KeptObjects> kept() {
    return store.ability(StoreAbility.History.class).map(h -> new KeptObjects(store, h));
  }

  /** Removes an object; nothing happens if it is gone. */
  public void delete(ObjectName name) throws IOException {
    writable().delete(name);
  }

  /** Removes what crashed processes left half written; returns how many there were. */
  public int sweepStrays() throws IOException {
    Optional<StoreAbility.Strays> strays = store.ability(StoreAbility.Strays.class);
    return strays.isPresent() ? strays.get().sweep() : 0;
  }

  /** What an entry of a log is stored as. */
  public static ObjectName entry(String log, long sequence) {
    return Names.entry(log, sequence);
  }

  /** The slots of a log that something stands in, and what that is called. */
  public NavigableMap<Long, ObjectName> entries(String log) throws IOException {
    NavigableMap<Long, ObjectName> entries = new TreeMap<>();
    for (StoredObject object : list(Names.logPrefix(log))) {
      Names.slot(object.name().value()).ifPresent(slot -> entries.put(slot, object.name()));
    }
    return entries;
  }

  /** Stores a list of doomed objects. */
  public ObjectRef putDoomed(Iterable<ObjectRef> objects) throws IOException {
    return DoomLists.write(this, objects);
  }

  /** Asks for the time by storing something and removing it; empty where nobody can tell. */
  public Optional<Instant> now(String nonce) throws IOException {
    return now(Names.RETENTION, nonce);
  }

  /**
   * The same, for a writer that may not store anything elsewhere.
   *
   * @param log whose part of {@code beat/} the caller may write to
   */
  public Optional<Instant> now(String log, String nonce) throws IOException {
    if (store.ability(StoreAbility.Times.class).isEmpty()) {
      return Optional.empty();
    }
    ObjectName probe = ObjectName.of("beat/%s/%s-1".formatted(log, nonce));
    writable().put(probe, ObjectBody.of(new byte[0]));
    try {
      return storedAt(probe);
    } finally {
      remove(probe);
    }
  }

  /** Writers need not have the right to delete. */
  private void remove(ObjectName probe) throws IOException {
    try {
      writable().delete(probe);
    } catch (BackupException.Sink e) {
      if (e.reason() != Reason.DENIED && e.reason() != Reason.LOCKED) {
        throw e;
      }
      LOG.debug("{} stays: it may not be deleted from here", probe, e);
    }
  }

  /** Stores a sign of life. */
  public void putBeat(ObjectName beat) throws IOException {
    writable().put(beat, ObjectBody.of(new byte[0]));
  }

  /** The signs of life of a run, in no order. */
  public List<ObjectName> beats(String writer, RunId run) throws IOException {
    return list(Names.beats(writer, run)).stream().map(StoredObject::name).toList();
  }

  /** The signs of life of all runs of a writer, in no order. */
  public List<ObjectName> beats(String writer) throws IOException {
    return list(Names.beats(writer)).stream().map(StoredObject::name).toList();
  }

  /**
   * Reads a content-named object to its end and compares with its name.
   *
   * @return how many bytes were read
   * @throws BackupException.Corrupt OBJECT_NOT_FOUND, TRUNCATED or CORRUPT_OBJECT, naming it
   */
  public long verify(ObjectRef object, Stopping stopping) throws IOException {
    MessageDigest digest = Digest.sha256();
    long bytes = digest(object.name(), object.lengthBytes(), digest, stopping);
    if (bytes != object.lengthBytes()) {
      throw new BackupException.Corrupt(
          bytes < object.lengthBytes() ? CoreFailure.TRUNCATED : CoreFailure.CORRUPT_OBJECT,
          "%s has %s%d bytes, expected %d"
              .formatted(
                  object,
                  bytes < object.lengthBytes() ? "" : "at least ",
                  bytes,
                  object.lengthBytes()));
    }
    requireEqual(object.name(), object.stored(), Digest.of(digest.digest()));
    return bytes;
  }

  /**
   * All of a content-named object, compared with its name.
   *
   * @throws BackupException.Corrupt OBJECT_NOT_FOUND, TRUNCATED or CORRUPT_OBJECT, naming it
   */
  public byte[] readVerified(ObjectRef object) throws IOException {
    BoundedInput.requireAtMost(object.lengthBytes(), MAX_WHOLE_BYTES, object.toString());
    byte[] bytes;
    try (InputStream in = openNamed(object.name(), ByteRange.ALL)) {
      bytes = in.readNBytes((int) object.lengthBytes());
      if (bytes.length < object.lengthBytes()) {
        throw new BackupException.Corrupt(
            CoreFailure.TRUNCATED,
            "%s has %d bytes, expected %d".formatted(object, bytes.length, object.lengthBytes()));
      }
      if (in.read() >= 0) {
        throw new BackupException.Corrupt(
            CoreFailure.CORRUPT_OBJECT,
            "%s has more than the %d bytes expected".formatted(object, object.lengthBytes()));
      }
    }
    requireEqual(object.name(), object.stored(), Digest.ofContent(bytes));
    return bytes;
  }

  /**
   * The stored bytes of a content-named object. They are compared with its name before the first of
   * them is returned, and where they do not fit memory once more at EOF. The caller closes.
   *
   * @throws BackupException.Corrupt OBJECT_NOT_FOUND, TRUNCATED or CORRUPT_OBJECT, naming it
   */
  public InputStream openVerified(ObjectRef object) throws IOException {
    if (object.lengthBytes() <= MAX_WHOLE_BYTES) {
      return new ByteArrayInputStream(readVerified(object));
    }
    verify(object, Stopping.never());
    return new ComparedAtEnd(openNamed(object.name(), ByteRange.ALL), object);
  }

  /** Compares what is read with the object's name. */
  private static final class ComparedAtEnd extends FilterInputStream {
    private final ObjectRef object;
    private final MessageDigest digest;
    private boolean isCompared;

    ComparedAtEnd(InputStream in, ObjectRef object) {
      this(in, object, Digest.sha256());
    }

    private ComparedAtEnd(InputStream in, ObjectRef object, MessageDigest digest) {
      super(new DigestInputStream(in, digest));
      this.object = object;
      this.digest = digest;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int n = in.read(into, offset, length);
      if (n < 0 && !isCompared) {
        requireEqual(object.name(), object.stored(), Digest.of(digest.digest()));
        isCompared = true;
      }
      return n;
    }

    @Override
    public long skip(long count) throws IOException {
      return Math.max(0, read(new byte[(int) Math.min(8192, Math.max(0, count))]));
    }

    @Override
    public boolean markSupported() {
      return false;
    }
  }

  /**
   * Reads an object whose name says nothing to its end and compares.
   *
   * @param maxBytes more than it can have
   * @throws BackupException.Corrupt OBJECT_NOT_FOUND or CORRUPT_OBJECT, naming it
   */
  public void verify(ObjectName name, Digest expected, long maxBytes, Stopping stopping)
      throws IOException {
    MessageDigest digest = Digest.sha256();
    digest(name, maxBytes, digest, stopping);
    requireEqual(name, expected, Digest.of(digest.digest()));
  }

  /** Stops behind {@code maxBytes}: a store may go on for ever. */
  private long digest(ObjectName name, long maxBytes, MessageDigest digest, Stopping stopping)
      throws IOException {
    long bytes = 0;
    try (InputStream in = openNamed(name, ByteRange.ALL)) {
      byte[] buffer = new byte[128 << 10];
      for (int n = in.read(buffer); n >= 0 && bytes <= maxBytes; n = in.read(buffer)) {
        stopping.check();
        digest.update(buffer, 0, n);
        bytes += n;
      }
    }
    return bytes;
  }

  private static void requireEqual(ObjectName name, Digest expected, Digest found)
      throws BackupException {
    if (!found.equals(expected)) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT,
          "%s has the stored digest %s, expected %s".formatted(name, found, expected));
    }
  }

  /** The stored bytes of an object that something signed names: that it is absent is damage. */
  private InputStream openNamed(ObjectName name, ByteRange range) throws IOException {
    try {
      return store.open(name, range);
    } catch (BackupException.Sink e) {
      if (e.reason() == Reason.NOT_FOUND) {
        throw new BackupException.Corrupt(CoreFailure.OBJECT_NOT_FOUND, name + " is missing", e);
      }
      throw e;
    }
  }

  /**
   * The plain bytes of a sealed object that was compared with its stored digest, from its
   * beginning. The caller closes.
   *
   * @param by known to be right
   */
  public InputStream openSealed(ObjectRef object, List<? extends Identity> by) throws IOException {
    InputStream stored = openNamed(object.name(), ByteRange.ALL);
    boolean isOpen = false;
    try {
      InputStream plain = by.get(0).format().open(stored, by);
      isOpen = true;
      return plain;
    } catch (BackupException.Corrupt | BackupException.Crypto e) {
      throw unreadable(object, e);
    } finally {
      if (!isOpen) {
        stored.close();
      }
    }
  }

  /**
   * The plain bytes of a sealed object of at most 64 MiB, all of whose stored bytes were compared
   * with its name first; they are read once. The caller closes.
   *
   * @param by known to be right
   * @throws BackupException.Corrupt OBJECT_NOT_FOUND, TRUNCATED or CORRUPT_OBJECT, naming it; or
   *     MALFORMED if it is as it was stored, and cannot be opened
   */
  public InputStream openCompared(ObjectRef object, List<? extends Identity> by)
      throws IOException {
    byte[] stored = readVerified(object);
    try {
      return by.get(0).format().open(new ByteArrayInputStream(stored), by);
    } catch (BackupException.Corrupt | BackupException.Crypto e) {
      throw unreadable(object, e);
    }
  }

  /**
   * A range of the plain bytes of a sealed object. If that fails, the stored digest decides whether
   * the object is corrupt or the key is wrong.
   */
  public byte[] readSealed(
      ObjectRef object, ByteRange plain, List<? extends Identity> by, Stopping stopping)
      throws IOException {
    try (Decryptor.SealedReader reader =
            by.get(0)
                .format()
                .open(range -> openNamed(object.name(), range), object.lengthBytes(), by);
        InputStream in = reader.read(plain)) {
      byte[] bytes = in.readNBytes((int) plain.lengthBytes());
      if (bytes.length < plain.lengthBytes()) {
        throw new BackupException.Corrupt(
            CoreFailure.TRUNCATED,
            "%s has %d plain bytes from %d on, expected %d"
                .formatted(object, bytes.length, plain.offset(), plain.lengthBytes()));
      }
      return bytes;
    } catch (BackupException.Corrupt | BackupException.Crypto e) {
      verify(object, stopping);
      throw unreadable(object, e);
    }
  }

  /** The key is known to be right: that it does not fit is the object's fault. */
  private static BackupException unreadable(ObjectRef object, BackupException e) {
    return new BackupException.Corrupt(
        e instanceof BackupException.Crypto ? CoreFailure.MALFORMED : e.code(),
        "%s is as it was stored, and cannot be read: %s".formatted(object, e.getMessage()),
        e);
  }

  /**
   * The writer's packs that are there in their full length. The caller closes.
   *
   * @param folder takes what does not fit memory
   */
  public DigestSet packsOf(String writer, ScratchFolder folder) throws IOException {
    DigestSet packs = new DigestSet(folder);
    forEach(
        Names.packPrefix(writer),
        object -> {
          Optional<ObjectRef> ref = parsed(object.name());
          if (ref.isPresent() && ref.get().lengthBytes() == object.lengthBytes()) {
            packs.put(ref.get().stored());
          }
        });
    return packs.settle();
  }

  /** How full the store is, as far as it can tell. */
  public StorageRoom room() throws IOException {
    Optional<StoreAbility.Capacity> capacity = store.ability(StoreAbility.Capacity.class);
    return capacity.isPresent()
        ? new StorageRoom(capacity.get().freeBytes(), capacity.get().totalBytes())
        : new StorageRoom(OptionalLong.empty(), OptionalLong.empty());
  }

  /** Who else can get at the store, and how it is protected; says nothing where it cannot tell. */
  public void checkExposure(Checks checks) throws IOException {
    Optional<StoreAbility.Exposure> exposure = store.ability(StoreAbility.Exposure.class);
    if (exposure.isPresent()) {
      exposure.get().check(checks);
    }
  }

  /** Takes the objects of the writer's streams that are there in their full length. */
  public void streamObjects(String writer, PackLists.Named objects) throws IOException {
    forEach(
        Names.streamPrefix(writer),
        object -> {
          Optional<ObjectRef> ref = parsed(object.name());
          if (ref.isPresent() && ref.get().lengthBytes() == object.lengthBytes()) {
            objects.accept(ref.get());
          }
        });
  }

  /** Whether the store protects objects from being removed. */
  public boolean canProtect() {
    return store.ability(StoreAbility.Locking.class).isPresent();
  }

  /**
   * Protects an object for longer if its protection ends too early; only where that is possible.
   */
  public void protect(ObjectName name, Instant atLeast, Instant until) throws IOException {
    Optional<StoreAbility.Locking> locking = store.ability(StoreAbility.Locking.class);
    if (locking.isPresent()
        && locking.get().lockedUntil(name).filter(end -> !end.isBefore(atLeast)).isEmpty()) {
      locking.get().lock(name, until);
    }
  }

  /** The wrapped identities of all epochs. */
  public void epochKeys(Row row) throws IOException {
    forEach("keys/", row);
  }

  /** Whether what stands under a damaged object's name can be set aside. */
  public boolean canMend() {
    return store.ability(StoreAbility.Mending.class).isPresent();
  }

  /**
   * Stores the bytes that another store has under this name, which are compared with the digest on
   * their way, and reads them back.
   *
   * @param expected what they are
   * @param lengthBytes of them
   * @param isThere whether something else stands there, which is set aside
   */
  public void copyFrom(
      StoreAccess other,
      ObjectName name,
      Digest expected,
      long lengthBytes,
      boolean isThere,
      Stopping stopping)
      throws IOException {
    ObjectBody body = new Elsewhere(other, name, expected, lengthBytes);
    if (isThere) {
      store
          .ability(StoreAbility.Mending.class)
          .orElseThrow(() -> new IllegalStateException("the store cannot set objects aside"))
          .mend(name, body);
    } else {
      putUnlessThere(name, body);
    }
    verify(name, expected, lengthBytes, stopping);
  }

  /** What became of an object that was to be copied. */
  public enum Copied {
    /** It was sent through this process. */
    SENT,
    /** The store took it from the other one by itself. */
    BY_STORE,
    /** It had been there. */
    THERE
  }

  /**
   * Stores the bytes that another store has under this name, unless something stands there. They
   * are compared with the digest before the store can have the last of them.
   *
   * @return THERE if something stands there, whatever it is
   * @throws BackupException.Corrupt OBJECT_NOT_FOUND, TRUNCATED or CORRUPT_OBJECT if the other
   *     store does not have these bytes; nothing was stored then
   */
  public Copied copyNew(
      StoreAccess other, ObjectName name, Digest expected, long lengthBytes, Stopping stopping)
      throws IOException {
    stopping.check();
    ObjectRef object = new ObjectRef(name, expected, lengthBytes);
    try {
      Optional<StoreAbility.ServerCopy> server = store.ability(StoreAbility.ServerCopy.class);
      if (server.isPresent() && server.get().copy(other.store, name)) {
        return Copied.BY_STORE;
      }
      writable().put(name, new Matched(other, object));
      return Copied.SENT;
    } catch (BackupException.Sink e) {
      if (e.reason() == Reason.ALREADY_EXISTS) {
        return Copied.THERE;
      }
      throw e;
    }
  }

  /**
   * Whether the store states this digest of an object, from having computed it itself when it was
   * given the bytes. False also where it cannot tell: then the object has to be read.
   */
  public boolean states(ObjectName name, Digest expected) throws IOException {
    Optional<StoreAbility.Digests> digests = store.ability(StoreAbility.Digests.class);
    return digests.isPresent() && digests.get().digest(name).filter(expected::equals).isPresent();
  }

  /** What another store has under a name, as far as it is what it should be. */
  private record Matched(StoreAccess other, ObjectRef object) implements ObjectBody {
    @Override
    public long lengthBytes() {
      return object.lengthBytes();
    }

    @Override
    public Digest digest() {
      return object.stored();
    }

    @Override
    public InputStream open() throws IOException {
      return new MatchedInput(other.openNamed(object.name(), ByteRange.ALL), object);
    }
  }

  /** Stores something small whose name says nothing; what is there now. */
  public byte[] createSmall(ObjectName name, byte[] bytes) throws IOException {
    return create(name, bytes, Math.max(bytes.length, Entry.MAX_BYTES));
  }

  /** Something small, or empty if there is none. */
  public Optional<byte[]> findSmall(ObjectName name) throws IOException {
    return find(name, Entry.MAX_BYTES);
  }

  /** Everything whose name begins so, page by page. */
  public void everythingIn(String prefix, Row row) throws IOException {
    forEach(prefix, row);
  }

  /** One that exists is compared afterwards. */
  private void putUnlessThere(ObjectName name, ObjectBody body) throws IOException {
    try {
      writable().put(name, body);
    } catch (BackupException.Sink e) {
      if (e.reason() != Reason.ALREADY_EXISTS) {
        throw e;
      }
    }
  }

  /** What another store has under a name. */
  private record Elsewhere(StoreAccess other, ObjectName name, Digest digest, long lengthBytes)
      implements ObjectBody {
    @Override
    public InputStream open() throws IOException {
      return other.openNamed(name, ByteRange.ALL);
    }
  }

  /** How many bytes an object has; empty if there is none. */
  public OptionalLong lengthOf(ObjectName name) throws IOException {
    return list(name.value()).stream()
        .filter(o -> o.name().equals(name))
        .mapToLong(StoredObject::lengthBytes)
        .findFirst();
  }

  /** Stores a pack. */
  public ObjectRef putPack(String writer, ObjectBody body) throws IOException {
    return put(Names.pack(writer, body.digest(), body.lengthBytes()), body);
  }

  /** Stores a manifest. */
  public ObjectRef putManifest(String writer, ObjectBody body) throws IOException {
    return put(Names.manifest(writer, body.digest(), body.lengthBytes()), body);
  }

  /** Stores a part of the writer's state. */
  public ObjectRef putState(String writer, ObjectBody body) throws IOException {
    return put(Names.state(writer, body.digest(), body.lengthBytes()), body);
  }

  /** Stores a slice or a small file of a stream. */
  public ObjectRef putStream(String writer, ObjectBody body) throws IOException {
    return put(Names.stream(writer, body.digest(), body.lengthBytes()), body);
  }

  private ObjectRef put(ObjectRef ref, ObjectBody body) throws IOException {
    putContent(ref, body);
    return ref;
  }

  /** Stores an object whose name says its content: one that exists with this size is this one. */
  void putContent(ObjectRef ref, ObjectBody body) throws IOException {
    try {
      writable().put(ref.name(), body);
    } catch (BackupException.Sink e) {
      if (e.reason() != Reason.ALREADY_EXISTS || !exists(ref)) {
        throw e;
      }
    }
  }

  private boolean exists(ObjectRef ref) throws IOException {
    return list(ref.name().value()).stream()
        .anyMatch(o -> o.name().equals(ref.name()) && o.lengthBytes() == ref.lengthBytes());
  }

  /**
   * Creates an object whose name says nothing, and settles what a failed reply left open by reading
   * it back.
   *
   * @return what is there now: these bytes, or another's who was first
   */
  byte[] create(ObjectName name, byte[] bytes, int maxBytes) throws IOException {
    try {
      writable().put(name, ObjectBody.of(bytes));
      return bytes;
    } catch (BackupException.Sink e) {
      Optional<byte[]> there = readBack(name, maxBytes, e);
      if (there.isEmpty()) {
        throw e;
      }
      return there.get();
    }
  }

  private Optional<byte[]> readBack(ObjectName name, int maxBytes, BackupException.Sink first) {
    try {
      return find(name, maxBytes);
    } catch (IOException e) {
      first.addSuppressed(e);
      return Optional.empty();
    }
  }

  private ObjectStore writable() {
    if (store instanceof ObjectStore writable) {
      return writable;
    }
    throw new IllegalStateException("the repository was opened for reading");
  }
}
