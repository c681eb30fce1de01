package org.stellaops.backup.testkit;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;

/** An open {@link MemorySink}; of no use once closed, and neither are the streams it handed out. */
public final class MemoryStore implements ObjectStore {
  private static final int MAX_PAGE = 5;

  /** More than a read returns, and no power of two, so that buffers never come out even. */
  private static final int MAX_READ_BYTES = 10_007;

  private final MemoryObjects objects;
  private final long seed;
  private final AtomicBoolean isClosed = new AtomicBoolean();

  MemoryStore(MemoryObjects objects, long seed) {
    this.objects = objects;
    this.seed = seed;
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    requireOpen();
    requireFits(name, body);
    giveUpHalfWay(name, body);
    byte[] bytes = readWhole(name, body);
    requireOpen();
    if (!objects.create(name, bytes)) {
      throw new BackupException.Sink(
          CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, "put %s: it exists".formatted(name));
    }
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    requireOpen();
    MemoryObjects.Entry entry = objects.find(name);
    if (entry == null) {
      throw new BackupException.Sink(
          CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, "open %s: not found".formatted(name));
    }
    byte[] bytes = entry.bytes();
    int start = (int) Math.min(range.offset(), bytes.length);
    int length = (int) Math.max(0, range.endIn(bytes.length) - start);
    var within = new ByteArrayInputStream(bytes, start, length);
    return objects.streams().track("object " + name, new ShortReads(within));
  }

  /**
   * A page holds none to five objects; an empty one is never followed by another. The token says
   * where the page before ended, so that a page can be asked for again and objects put meanwhile
   * disturb nothing.
   */
  @Override
  public ObjectPage list(String prefix, PageToken from) throws IOException {
    requireOpen();
    Place place = Place.parse(from);
    int size = pageSize(place);
    if (size == 0) {
      return new ObjectPage(List.of(), new Place(place.order(), true).token());
    }
    List<StoredObject> page = new ArrayList<>();
    String last = place.order();
    for (MemoryObjects.Entry entry : objects.following(place.order())) {
      if (entry.name().value().startsWith(prefix)) {
        if (page.size() == size) {
          return new ObjectPage(page, new Place(last, false).token());
        }
        page.add(row(entry));
        last = entry.order();
      }
    }
    return new ObjectPage(page, PageToken.END);
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    requireOpen();
    if (objects.isLocked(name)) {
      throw new BackupException.Sink(
          CoreFailure.SINK_FAILED, Reason.LOCKED, "delete %s: it is protected".formatted(name));
    }
    objects.delete(name);
  }

  private void mend(ObjectName name, ObjectBody body) throws IOException {
    requireOpen();
    requireFits(name, body);
    if (objects.isLocked(name)) {
      throw new BackupException.Sink(
          CoreFailure.SINK_FAILED, Reason.LOCKED, "mend %s: it is protected".formatted(name));
    }
    byte[] bytes = readWhole(name, body);
    requireOpen();
    if (!objects.setAside(name, bytes)) {
      throw new BackupException.Sink(
          CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, "mend %s: not found".formatted(name));
    }
  }

  @Override
  public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
    StoreAbility.Mending mending = this::mend;
    return Optional.of(mending).filter(type::isInstance).map(type::cast);
  }

  @Override
  public StoreTraits traits() {
    return new StoreTraits(true, true, objects.maxObjectBytes(), Map.of());
  }

  /** Idempotent. Streams that are still open fail from now on, and count as left open. */
  @Override
  public void close() {
    if (isClosed.compareAndSet(false, true)) {
      objects.storeClosed();
    }
  }

  private void requireOpen() {
    if (isClosed.get()) {
      throw new IllegalStateException("the store is closed");
    }
  }

  private void requireFits(ObjectName name, ObjectBody body) throws BackupException.Sink {
    if (body.lengthBytes() > objects.maxObjectBytes()) {
      throw refused(
          name,
          "at most %d bytes, found %d".formatted(objects.maxObjectBytes(), body.lengthBytes()));
    }
  }

  /** The body must bear it, since a retry does just that. */
  private void giveUpHalfWay(ObjectName name, ObjectBody body) throws IOException {
    try (InputStream in = objects.streams().track("body of " + name, body.open())) {
      in.readNBytes(Math.toIntExact(body.lengthBytes() / 2));
    }
  }

  private byte[] readWhole(ObjectName name, ObjectBody body) throws IOException {
    int length = Math.toIntExact(body.lengthBytes());
    byte[] bytes;
    boolean isLonger;
    try (InputStream in = objects.streams().track("body of " + name, body.open())) {
      bytes = in.readNBytes(length);
      isLonger = in.read() >= 0;
    }
    if (isLonger || bytes.length < length) {
      String found = isLonger ? "more" : String.valueOf(bytes.length);
      throw refused(name, "expected %d bytes, found %s".formatted(length, found));
    }
    Digest found = Digest.ofContent(bytes);
    if (!found.equals(body.digest())) {
      throw refused(name, "expected stored digest %s, found %s".formatted(body.digest(), found));
    }
    return bytes;
  }

  private static BackupException.Sink refused(ObjectName name, String what) {
    return new BackupException.Sink(
        CoreFailure.SINK_FAILED, Reason.REFUSED, "put %s: %s".formatted(name, what));
  }

  private static StoredObject row(MemoryObjects.Entry entry) {
    return new StoredObject(entry.name(), entry.bytes().length, String.valueOf(entry.generation()));
  }

  private int pageSize(Place place) {
    int size = Math.floorMod(place.order().hashCode() + (int) seed, MAX_PAGE + 1);
    return size == 0 && place.isAfterEmptyPage() ? 1 : size;
  }

  /** Where a page begins: behind the object with this order. */
  private record Place(String order, boolean isAfterEmptyPage) {
    private static final String EMPTY_PAGE = "+";

    static Place parse(PageToken token) {
      if (token.equals(PageToken.END)) {
        throw new IllegalArgumentException("there is no page after the last");
      }
      boolean isAfterEmptyPage = token.value().endsWith(EMPTY_PAGE);
      return new Place(token.value().replace(EMPTY_PAGE, ""), isAfterEmptyPage);
    }

    PageToken token() {
      return new PageToken(order + (isAfterEmptyPage ? EMPTY_PAGE : ""));
    }
  }

  /** Returns less than was asked for, and nothing once the store is closed. */
  private final class ShortReads extends FilterInputStream {
    ShortReads(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      requireStoreOpen();
      return super.read();
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      requireStoreOpen();
      int some = length > 1 ? Math.min(length - length / 3, MAX_READ_BYTES) : length;
      return super.read(buffer, offset, some);
    }

    private void requireStoreOpen() throws IOException {
      if (isClosed.get()) {
        throw new IOException("the store was closed before its stream");
      }
    }
  }
}
