package org.stellaops.backup.testkit;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One client's connection through a {@link FaultyProxy}: requests and replies, one by one. */
final class ProxiedConnection {
  private static final byte[] CONTINUE =
      "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1);

  private static final int BUFFER_BYTES = 64 * 1024;

  private final FaultyProxy proxy;
  private final Socket client;
  private final Socket server;
  private final InputStream fromClient;
  private final OutputStream toClient;
  private final InputStream fromServer;
  private final OutputStream toServer;

  /** Closes neither socket, except to reset it. */
  ProxiedConnection(FaultyProxy proxy, Socket client, Socket server) throws IOException {
    this.proxy = proxy;
    this.client = client;
    this.server = server;
    fromClient = new BufferedInputStream(client.getInputStream());
    toClient = client.getOutputStream();
    fromServer = new BufferedInputStream(server.getInputStream());
    // A server that refuses by the head alone ends the connection: with the body already there its
    // reply arrives, and with the body still on its way it may be lost.
    toServer = new BufferedOutputStream(server.getOutputStream(), BUFFER_BYTES);
  }

  /** Until one of the two ends it, or a fault does. */
  void run() throws IOException {
    for (HttpHead head = HttpHead.read(fromClient);
        head != null && goesOn(head);
        head = HttpHead.read(fromClient)) {
      // goesOn did it
    }
  }

  private boolean goesOn(HttpHead head) throws IOException {
    String[] words = head.firstLine().split(" ", 3);
    if (words.length != 3) {
      throw new IOException("not a request: " + head.firstLine());
    }
    var request = new Exchange(words[0], head, head.headers());
    ProxyFault fault = proxy.begin(words[0], words[1], request.headers());
    return switch (fault.kind()) {
      case NONE -> forward(request);
      case LATENCY -> {
        proxy.delay(Duration.ofMillis(fault.amount()));
        yield forward(request);
      }
      case RESET -> reset();
      case RESET_IN_BODY -> tear(request, fault.amount());
      case LOST_REPLY -> lose(request);
      case STATUS -> answer(request, fault);
      case TRUNCATED_REPLY -> truncate(request, fault.amount());
    };
  }

  private boolean forward(Exchange request) throws IOException {
    deliver(request, toServer);
    return reply(request, toClient);
  }

  private boolean tear(Exchange request, long afterBytes) throws IOException {
    send(request);
    try {
      request.body().copy(fromClient, new Limited(toServer, afterBytes));
    } catch (Limited.Reached e) {
      reset(server);
      return reset();
    }
    toServer.flush();
    reply(request, OutputStream.nullOutputStream());
    return reset();
  }

  private boolean lose(Exchange request) throws IOException {
    deliver(request, toServer);
    reply(request, OutputStream.nullOutputStream());
    return reset();
  }

  private boolean truncate(Exchange request, long afterBytes) throws IOException {
    deliver(request, toServer);
    HttpHead head = replyHead();
    toClient.write(head.bytes());
    try {
      request.replyBody(head).copy(fromServer, new Limited(toClient, afterBytes));
    } catch (Limited.Reached e) {
      // The server may have more to say, so this connection to it is of no use any more.
    }
    return false;
  }

  private boolean answer(Exchange request, ProxyFault fault) throws IOException {
    allow(request);
    request.body().copy(fromClient, OutputStream.nullOutputStream());
    byte[] body = fault.body().getBytes(StandardCharsets.UTF_8);
    var lines = new ArrayList<String>();
    fault.headers().forEach((name, value) -> lines.add(name + ": " + value));
    lines.add("Content-Length: " + body.length);
    toClient.write(new HttpHead("HTTP/1.1 %d Fault".formatted(fault.amount()), lines).bytes());
    if (!request.method().equals("HEAD")) {
      toClient.write(body);
    }
    return true;
  }

  /** Sends all of it. A server may answer and end before it has read a body: then no error here. */
  private void deliver(Exchange request, OutputStream out) throws IOException {
    send(request);
    var forgiving = new Forgiving(out);
    request.body().copy(fromClient, forgiving);
    forgiving.flush();
  }

  private void send(Exchange request) throws IOException {
    allow(request);
    toServer.write(request.head().without("Expect").bytes());
  }

  private void allow(Exchange request) throws IOException {
    if (request.headers().getOrDefault("expect", "").equalsIgnoreCase("100-continue")) {
      toClient.write(CONTINUE);
    }
  }

  private boolean reply(Exchange request, OutputStream out) throws IOException {
    HttpHead head = replyHead();
    out.write(head.bytes());
    HttpBody body = request.replyBody(head);
    body.copy(fromServer, out);
    return !(body instanceof HttpBody.UntilEnd)
        && !head.headers().getOrDefault("connection", "").equalsIgnoreCase("close");
  }

  private HttpHead replyHead() throws IOException {
    for (HttpHead head = HttpHead.read(fromServer); ; head = HttpHead.read(fromServer)) {
      if (head == null) {
        reset();
        throw new IOException("the server ended the connection without a reply");
      }
      if (statusOf(head) != 100) {
        return head;
      }
    }
  }

  private static int statusOf(HttpHead reply) throws IOException {
    try {
      return Integer.parseInt(reply.firstLine().split(" ", 3)[1]);
    } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
      throw new IOException("not a reply: " + reply.firstLine(), e);
    }
  }

  private boolean reset() throws IOException {
    reset(client);
    return false;
  }

  /** Closed without lingering, a socket sends RST instead of FIN. */
  private static void reset(Socket socket) throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  /** A request that came. */
  private record Exchange(String method, HttpHead head, Map<String, String> headers) {
    HttpBody body() {
      return HttpBody.ofRequest(headers);
    }

    HttpBody replyBody(HttpHead reply) throws IOException {
      return HttpBody.ofReply(method, statusOf(reply), reply.headers());
    }
  }

  /** Passes on so many bytes and no more. */
  private static final class Limited extends OutputStream {
    private final OutputStream out;
    private long left;

    Limited(OutputStream out, long limit) {
      this.out = out;
      left = limit;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      int passed = (int) Math.min(left, length);
      out.write(bytes, offset, passed);
      left -= passed;
      if (passed < length) {
        out.flush();
        throw new Reached();
      }
    }

    /** There were more bytes. */
    static final class Reached extends IOException {
      private static final long serialVersionUID = 1L;

      Reached() {
        super("limit reached");
      }
    }
  }

  /** Passes on bytes until that fails once, and then no more. */
  private static final class Forgiving extends OutputStream {
    private @Nullable OutputStream out;

    Forgiving(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      if (out == null) {
        return;
      }
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        out = null; // the reply says why
      }
    }

    @Override
    public void flush() {
      if (out == null) {
        return;
      }
      try {
        out.flush();
      } catch (IOException e) {
        out = null; // the reply says why
      }
    }
  }
}
