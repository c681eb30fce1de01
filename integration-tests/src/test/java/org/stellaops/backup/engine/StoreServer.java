package org.stellaops.backup.engine;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoredObject;

/** Lets {@link RemoteSink}s use a store, each operation on a thread of its own. */
final class StoreServer implements Closeable {
  private static final int BUFFER_BYTES = 1 << 16;

  private final ServerSocket socket;
  private final ObjectStore store;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "store");
            thread.setDaemon(true);
            return thread;
          });

  /** Serves at once; closes both. */
  StoreServer(ServerSocket socket, ObjectStore store) {
    this.socket = socket;
    this.store = store;
    threads.execute(this::acceptAll);
  }

  int port() {
    return socket.getLocalPort();
  }

  private void acceptAll() {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        threads.execute(() -> serve(client));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serve(Socket client) {
    try (StoreCall call = new StoreCall(client)) {
      StoreCall.Operation operation = StoreCall.Operation.valueOf(call.in.readUTF());
      String name = call.in.readUTF();
      try {
        switch (operation) {
          case PUT -> put(call, ObjectName.of(name));
          case OPEN -> open(call, ObjectName.of(name));
          case LIST -> list(call, name);
          case DELETE -> store.delete(ObjectName.of(name));
        }
        call.end();
      } catch (BackupException.Sink e) {
        call.failure(e);
      }
    } catch (IOException gone) {
      // The client is: nobody is left to tell.
    }
  }

  private void put(StoreCall call, ObjectName name) throws IOException {
    long length = call.in.readLong();
    Digest digest = Digest.parse(call.in.readUTF());
    InputStream pieces = call.pieces();
    try {
      store.put(name, body(length, digest, pieces));
    } catch (BackupException.Sink e) {
      // Closing a connection with bytes unread would destroy the answer.
      pieces.skip(Long.MAX_VALUE);
      throw e;
    }
  }

  private static ObjectBody body(long length, Digest digest, InputStream pieces) {
    return new ObjectBody() {
      @Override
      public long lengthBytes() {
        return length;
      }

      @Override
      public Digest digest() {
        return digest;
      }

      @Override
      public InputStream open() {
        return pieces;
      }
    };
  }

  private void open(StoreCall call, ObjectName name) throws IOException {
    ByteRange range = new ByteRange(call.in.readLong(), call.in.readLong());
    try (InputStream bytes = store.open(name, range)) {
      call.end();
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = bytes.read(buffer); n >= 0; n = bytes.read(buffer)) {
        call.piece(buffer, n);
      }
    }
  }

  private void list(StoreCall call, String prefix) throws IOException {
    ObjectPage page = store.list(prefix, new PageToken(call.in.readUTF()));
    call.end();
    call.out.writeInt(page.objects().size());
    for (StoredObject object : page.objects()) {
      call.out.writeUTF(object.name().value());
      call.out.writeLong(object.lengthBytes());
      call.out.writeUTF(object.version());
    }
    call.out.writeUTF(page.next().value());
  }

  @Override
  public void close() throws IOException {
    socket.close();
    threads.shutdownNow();
    store.close();
  }
}
