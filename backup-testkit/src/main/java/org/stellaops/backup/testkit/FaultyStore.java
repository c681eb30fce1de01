package org.stellaops.backup.testkit;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.testkit.FaultPlan.When;

/**
 * A store whose operations fail as a {@link FaultPlan} says: put, open with the reads of its
 * stream, list, and delete count as one operation each. Closes what it wraps.
 *
 * <p>A torn put leaves it to the wrapped store to leave nothing: the body fails half way, and
 * whatever the store throws then, the fault is thrown. Abilities are passed on and never fail.
 */
public final class FaultyStore implements ObjectStore {
  private final ObjectStore inner;
  private final FaultPlan plan;

  /** Usually made by {@link FaultPlan#on}. */
  public FaultyStore(ObjectStore inner, FaultPlan plan) {
    this.inner = inner;
    this.plan = plan;
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    Fault fault = plan.begin("put " + name);
    fault.strike(When.BEFORE);
    if (fault.isDue(When.TORN)) {
      putTorn(name, body, fault);
    } else {
      inner.put(name, body);
    }
    fault.strike(When.AFTER);
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    Fault fault = plan.begin("open " + name);
    fault.strike(When.BEFORE);
    InputStream stream = inner.open(name, range);
    if (fault.isDue(When.AFTER)) {
      stream.close();
      throw fault.failure();
    }
    return fault.isDue(When.TORN) ? new TornRead(stream, fault) : stream;
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) throws IOException {
    Fault fault = plan.begin("list " + prefix);
    strikeBeforeOrTorn(fault);
    ObjectPage page = inner.list(prefix, from);
    fault.strike(When.AFTER);
    return page;
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    Fault fault = plan.begin("delete " + name);
    strikeBeforeOrTorn(fault);
    inner.delete(name);
    fault.strike(When.AFTER);
  }

  @Override
  public StoreTraits traits() {
    return inner.traits();
  }

  @Override
  public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
    return inner.ability(type);
  }

  @Override
  public void close() throws IOException {
    inner.close();
  }

  private static void strikeBeforeOrTorn(Fault fault) throws IOException {
    fault.strike(When.BEFORE);
    fault.strike(When.TORN);
  }

  private void putTorn(ObjectName name, ObjectBody body, Fault fault) throws IOException {
    try {
      inner.put(name, new TornBody(body, fault));
    } catch (IOException e) {
      var failure = fault.failure();
      failure.addSuppressed(e);
      throw failure;
    }
    throw new AssertionError("a put whose body failed half way reported success: " + fault.what());
  }

  /** A body whose every stream fails at half its length. */
  private record TornBody(ObjectBody whole, Fault fault) implements ObjectBody {
    @Override
    public long lengthBytes() {
      return whole.lengthBytes();
    }

    @Override
    public Digest digest() {
      return whole.digest();
    }

    @Override
    public InputStream open() throws IOException {
      return new FailingAt(whole.open(), whole.lengthBytes() / 2, fault);
    }
  }

  /** Delivers so many bytes and then fails. */
  private static final class FailingAt extends FilterInputStream {
    private final Fault fault;
    private long left;

    FailingAt(InputStream in, long afterBytes, Fault fault) {
      super(in);
      this.left = afterBytes;
      this.fault = fault;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      if (left == 0) {
        throw fault.failure();
      }
      int n = in.read(buffer, offset, (int) Math.min(length, left));
      left -= Math.max(n, 0);
      return n;
    }

    @Override
    public long skip(long count) throws IOException {
      long skipped = in.skip(Math.min(count, left));
      left -= skipped;
      return skipped;
    }

    @Override
    public boolean markSupported() {
      return false;
    }
  }

  /** Delivers half of what the first read finds and then fails. */
  private static final class TornRead extends FilterInputStream {
    private static final int FIRST_READ_BYTES = 8192;
    private final Fault fault;
    private boolean isTorn;

    TornRead(InputStream in, Fault fault) {
      super(in);
      this.fault = fault;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      byte[] found = isTorn ? new byte[0] : in.readNBytes(FIRST_READ_BYTES);
      isTorn = true;
      int half = Math.min(length, found.length / 2);
      if (half == 0) {
        throw fault.failure();
      }
      System.arraycopy(found, 0, buffer, offset, half);
      return half;
    }

    @Override
    public long skip(long count) throws IOException {
      return count <= 0 || read() < 0 ? 0 : 1;
    }

    @Override
    public int available() {
      return 0;
    }

    @Override
    public boolean markSupported() {
      return false;
    }
  }
}
