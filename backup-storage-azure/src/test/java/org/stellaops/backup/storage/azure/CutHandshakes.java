package org.stellaops.backup.storage.azure;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/** A server that takes connections and cuts each off within the TLS handshake. */
final class CutHandshakes implements AutoCloseable {
  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final AtomicInteger count = new AtomicInteger();

  CutHandshakes() throws IOException {
    var thread = new Thread(this::cutAll, "cut-handshakes");
    thread.setDaemon(true);
    thread.start();
  }

  int port() {
    return server.getLocalPort();
  }

  /** How many connections there were. */
  int count() {
    return count.get();
  }

  private void cutAll() {
    while (!server.isClosed()) {
      try (Socket socket = server.accept()) {
        count.incrementAndGet();
        // The client's part is read, so that it sees an end and no reset.
        socket.getInputStream().read(new byte[1 << 14]);
      } catch (IOException e) {
        // The client was faster, or the test is over.
        continue;
      }
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
