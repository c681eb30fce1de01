package org.stellaops.backup.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * An HTTP/1.1 proxy on loopback that fails chosen requests between a client and a server. It
 * forwards heads and bodies as they are (also {@code Host}, which clients sign), so the client is
 * told the proxy's address as if it were the server's. Only {@code Expect: 100-continue} it answers
 * itself.
 *
 * <p>Requests are numbered from 0, so a law is checked at every place where the wire can fail:
 *
 * <pre>{@code
 * proxy.follow(ProxyPlan.none());
 * scenario(proxy.uri());
 * long requests = proxy.requests().size();
 * for (long n = 0; n < requests; n++) {
 *   proxy.follow(ProxyPlan.at(n, ProxyFault.lostReply()));
 *   scenario(proxy.uri());          // must end well, or leave nothing
 * }
 * }</pre>
 *
 * <p>From any thread. Closing it resets what is open; the port is refused from then on.
 */
public final class FaultyProxy implements AutoCloseable {
  private final InetSocketAddress server;
  private final ServerSocket listening;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final List<ProxiedRequest> requests = new ArrayList<>();
  private ProxyPlan plan = ProxyPlan.none();

  private FaultyProxy(InetSocketAddress server, ServerSocket listening) {
    this.server = server;
    this.listening = listening;
  }

  /** Starts one in front of a server, on a free port of the loopback address; nothing fails yet. */
  public static FaultyProxy before(InetSocketAddress server) throws IOException {
    var proxy = new FaultyProxy(server, new ServerSocket(0, 0, InetAddress.getLoopbackAddress()));
    proxy.start("faulty-proxy", proxy::accept);
    return proxy;
  }

  /** Starts one in front of the server of an {@code http} URI with a port. */
  public static FaultyProxy before(URI server) throws IOException {
    return before(new InetSocketAddress(server.getHost(), server.getPort()));
  }

  /** Where clients go: {@code http://127.0.0.1:port}. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + listening.getLocalPort());
  }

  /** Requests from now on are numbered from 0 again, and meet what this plan says. */
  public synchronized void follow(ProxyPlan newPlan) {
    requests.clear();
    plan = newPlan;
  }

  /** What came since the plan, in order. */
  public synchronized List<ProxiedRequest> requests() {
    return List.copyOf(requests);
  }

  @Override
  public void close() throws IOException {
    closed.countDown();
    listening.close();
    for (Socket socket : open) {
      socket.close();
    }
  }

  /** Numbers a request and says what becomes of it. */
  ProxyFault begin(String method, String target, Map<String, String> headers) {
    int question = target.indexOf('?');
    String path = question < 0 ? target : target.substring(0, question);
    String query = question < 0 ? "" : target.substring(question + 1);
    ProxiedRequest request;
    ProxyPlan asked;
    synchronized (this) {
      request = new ProxiedRequest(requests.size(), method, path, query, headers);
      requests.add(request);
      asked = plan;
    }
    return asked.faultOf(request);
  }

  /** Waits so long, or until the proxy is closed. */
  void delay(Duration latency) throws IOException {
    try {
      if (closed.await(latency.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException("the proxy is closed");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private void accept() {
    while (closed.getCount() > 0) {
      try {
        Socket client = listening.accept();
        start("faulty-proxy-connection", () -> serve(client));
      } catch (IOException e) {
        return; // closed: nobody else ends the listening socket
      }
    }
  }

  private void serve(Socket client) {
    try (client;
        var upstream = new Socket()) {
      // A body behind its head would else wait for an acknowledgement, 40 ms each.
      client.setTcpNoDelay(true);
      upstream.setTcpNoDelay(true);
      open.add(client);
      open.add(upstream);
      if (closed.getCount() > 0) {
        upstream.connect(server);
        new ProxiedConnection(this, client, upstream).run();
      }
    } catch (IOException e) {
      // The client sees its connection end, as it would without a proxy.
    } finally {
      open.removeIf(Socket::isClosed);
    }
  }

  private void start(String name, Runnable task) {
    var thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
  }
}
