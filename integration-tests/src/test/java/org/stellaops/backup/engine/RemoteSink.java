package org.stellaops.backup.engine;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;

/**
 * A store behind a {@link StoreServer}. Every connection that cannot be made or breaks is a failure
 * that may pass; whether a put whose answer is missing was done, nobody knows.
 */
final class RemoteSink implements BackupSink {
  private static final int TIMEOUT_MILLIS = 30_000;
  private static final int BUFFER_BYTES = 1 << 16;

  /** How far a put has come. */
  enum Moment {
    /** Half of its bytes are on their way, and the store waits for the others. */
    HALF_SENT,
    /** All of its bytes are on their way, and the answer is not read. */
    SENT
  }

  private final int port;
  private final Consumer<Moment> listener;

  /**
   * @param port of the loopback interface
   * @param listener hears of every put, on the thread that makes it
   */
  RemoteSink(int port, Consumer<Moment> listener) {
    this.port = port;
    this.listener = listener;
  }

  @Override
  public String describe() {
    return "store at 127.0.0.1:" + port;
  }

  @Override
  public ObjectStore open(StoreContext context) {
    return new Store();
  }

  @FunctionalInterface
  private interface Attempt<T> {
    T make() throws IOException;
  }

  private <T> T attempt(String tried, Attempt<T> attempt) throws BackupException.Sink {
    try {
      return attempt.make();
    } catch (BackupException.Sink e) {
      throw e;
    } catch (IOException e) {
      throw new BackupException.Sink(
          CoreFailure.SINK_FAILED,
          Reason.TRANSIENT,
          "%s in %s: %s".formatted(tried, describe(), e),
          e);
    }
  }

  /** Each operation connects anew, and so finds a store that was started again. */
  private StoreCall call(StoreCall.Operation operation, String name) throws IOException {
    Socket socket = new Socket();
    try {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
      StoreCall call = new StoreCall(socket);
      call.out.writeUTF(operation.name());
      call.out.writeUTF(name);
      return call;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private final class Store implements ObjectStore {
    @Override
    public void put(ObjectName name, ObjectBody body) throws IOException {
      String tried = "put " + name;
      try (InputStream bytes = body.open();
          StoreCall call = attempt(tried, () -> call(StoreCall.Operation.PUT, name.value()))) {
        attempt(
            tried,
            () -> {
              call.out.writeLong(body.lengthBytes());
              call.out.writeUTF(body.digest().hex());
              return call;
            });
        send(tried, call, bytes, body.lengthBytes() / 2);
        listener.accept(Moment.HALF_SENT);
        send(tried, call, bytes, Long.MAX_VALUE);
        attempt(
            tried,
            () -> {
              call.end();
              listener.accept(Moment.SENT);
              call.awaitEnd();
              return call;
            });
      }
    }

    /** The body's own failures pass as they are. */
    private void send(String tried, StoreCall call, InputStream bytes, long most)
        throws IOException {
      byte[] buffer = new byte[BUFFER_BYTES];
      long left = most;
      while (left > 0) {
        int n = bytes.read(buffer, 0, (int) Math.min(left, buffer.length));
        if (n < 0) {
          return;
        }
        left -= n;
        attempt(
            tried,
            () -> {
              call.piece(buffer, n);
              call.out.flush();
              return call;
            });
      }
    }

    @Override
    public void delete(ObjectName name) throws IOException {
      attempt(
          "delete " + name,
          () -> {
            try (StoreCall call = call(StoreCall.Operation.DELETE, name.value())) {
              call.out.flush();
              call.awaitEnd();
              return call;
            }
          });
    }

    @Override
    public InputStream open(ObjectName name, ByteRange range) throws IOException {
      String tried = "open " + name;
      StoreCall call = attempt(tried, () -> call(StoreCall.Operation.OPEN, name.value()));
      try {
        return attempt(
            tried,
            () -> {
              call.out.writeLong(range.offset());
              call.out.writeLong(range.lengthBytes());
              call.out.flush();
              call.awaitEnd();
              return bytes(tried, call);
            });
      } catch (IOException e) {
        call.close();
        throw e;
      }
    }

    private InputStream bytes(String tried, StoreCall call) {
      return new FilterInputStream(call.pieces()) {
        @Override
        public int read() throws IOException {
          return attempt(tried, super::read);
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
          return attempt(tried, () -> super.read(bytes, offset, length));
        }

        @Override
        public void close() throws IOException {
          call.close();
        }
      };
    }

    @Override
    public ObjectPage list(String prefix, PageToken from) throws IOException {
      return attempt(
          "list '" + prefix + "'",
          () -> {
            try (StoreCall call = call(StoreCall.Operation.LIST, prefix)) {
              call.out.writeUTF(from.value());
              call.out.flush();
              call.awaitEnd();
              return page(call);
            }
          });
    }

    private ObjectPage page(StoreCall call) throws IOException {
      List<StoredObject> objects = new ArrayList<>();
      for (int left = call.in.readInt(); left > 0; left--) {
        objects.add(
            new StoredObject(
                ObjectName.of(call.in.readUTF()), call.in.readLong(), call.in.readUTF()));
      }
      PageToken next = new PageToken(call.in.readUTF());
      call.awaitEnd();
      return new ObjectPage(objects, next);
    }

    @Override
    public StoreTraits traits() {
      return new StoreTraits(true, true, Long.MAX_VALUE, Map.of());
    }

    @Override
    public void close() {}
  }
}
