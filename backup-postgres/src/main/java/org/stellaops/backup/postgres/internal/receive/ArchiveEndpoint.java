package org.stellaops.backup.postgres.internal.receive;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * Accepts files over HTTP on the loopback interface, one at a time, into one buffer. Whoever
 * follows the stream takes what is in the buffer with {@link #next} and answers it; only then does
 * the client hear that its file is stored. Never more than the buffer is held.
 */
final class ArchiveEndpoint implements HttpHandler, Closeable {
  private static final String PATH = "/wal/";
  private static final int THREADS = 8;
  private static final int WAITING = 64;
  private static final Duration DRAIN = Duration.ofSeconds(2);

  private final HttpServer server;
  private final ThreadPoolExecutor pool;
  private final ArchiveToken token;
  private final ClientPatience patience;
  private final byte[] buffer;
  private final Semaphore turn = new Semaphore(1, true);
  private final BlockingQueue<Arrival> arrivals = new ArrayBlockingQueue<>(1);
  private boolean isClosed;
  private int active;

  /**
   * Listens from now on.
   *
   * @param buffer that {@link #next} is about
   * @throws BackupException.Source ARCHIVE_ADDRESS if the port is taken
   */
  ArchiveEndpoint(int port, ArchiveToken token, ClientPatience patience, byte[] buffer)
      throws IOException {
    this.token = token;
    this.patience = patience;
    this.buffer = buffer;
    this.server = bind(port);
    this.pool =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            1,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING),
            task -> {
              Thread thread = new Thread(task, "stella-backup-archive");
              thread.setDaemon(true);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    server.setExecutor(task -> pool.execute(() -> patiently(task)));
    server.createContext("/", this);
    server.start();
  }

  private static HttpServer bind(int port) throws IOException {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    try {
      return HttpServer.create(address, 0);
    } catch (IOException e) {
      throw new BackupException.Source(
          PostgresFailure.ARCHIVE_ADDRESS,
          "listen for archived WAL on %s: %s".formatted(address, e.getMessage()),
          e);
    }
  }

  InetSocketAddress address() {
    return server.getAddress();
  }

  /**
   * Some of a file that is in the buffer, or all of it.
   *
   * @param file of which it is
   * @param offset of its first byte in the file
   * @param length from the beginning of the buffer on
   * @param answer to the client; where it is good, the next bytes of the file come
   */
  record Arrival(
      ArchivedFile file, long offset, int length, CompletableFuture<ArchiveAnswer> answer) {
    /** Lets the client go on. */
    void answer(ArchiveAnswer with) {
      answer.complete(with);
    }
  }

  /** What arrived; empty if nothing does within the time. The caller answers it. */
  Optional<Arrival> next(Duration within) throws IOException {
    try {
      return Optional.ofNullable(arrivals.poll(within.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for archived WAL");
    }
  }

  /** Whoever waits hears that it is not now; then nobody is listened to any more. */
  @Override
  public void close() {
    refuseAll();
    awaitIdle();
    server.stop(0);
    pool.shutdownNow();
  }

  private synchronized void refuseAll() {
    isClosed = true;
    for (Arrival left = arrivals.poll(); left != null; left = arrivals.poll()) {
      left.answer(ArchiveAnswer.UNAVAILABLE);
    }
  }

  private synchronized void awaitIdle() {
    long end = System.nanoTime() + DRAIN.toNanos();
    try {
      for (long left = DRAIN.toMillis(); active > 0 && left > 0; ) {
        wait(left);
        left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void patiently(Runnable task) {
    patience.begin();
    try {
      task.run();
    } finally {
      patience.end();
    }
  }

  private synchronized void count(int change) {
    active += change;
    notifyAll();
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    count(1);
    try (exchange) {
      ArchiveAnswer answer = receive(exchange);
      byte[] text = (answer.text() + "\n").getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(answer.status(), text.length);
      exchange.getResponseBody().write(text);
    } finally {
      count(-1);
    }
  }

  private ArchiveAnswer receive(HttpExchange exchange) throws IOException {
    if (!token.isIn(exchange.getRequestHeaders().getFirst("Authorization"))) {
      return ArchiveAnswer.UNAUTHORIZED;
    }
    String path = exchange.getRequestURI().getPath();
    String length = exchange.getRequestHeaders().getFirst("Content-Length");
    if (!exchange.getRequestMethod().equals("PUT") || !path.startsWith(PATH) || length == null) {
      return ArchiveAnswer.malformed("expected PUT " + PATH + "… with a Content-Length");
    }
    ArchivedFile file;
    try {
      file = ArchivedFile.of(path.substring(PATH.length()), Long.parseLong(length));
    } catch (IllegalArgumentException e) {
      return ArchiveAnswer.malformed(String.valueOf(e.getMessage()));
    }
    return inTurn(file, exchange.getRequestBody());
  }

  /** While it waits for others, the client has no part in it. */
  private ArchiveAnswer inTurn(ArchivedFile file, InputStream in) throws IOException {
    patience.end();
    try {
      turn.acquire();
    } catch (InterruptedException e) {
      return ArchiveAnswer.UNAVAILABLE;
    } finally {
      patience.begin();
    }
    try {
      return passOn(file, in);
    } finally {
      turn.release();
    }
  }

  private ArchiveAnswer passOn(ArchivedFile file, InputStream in) throws IOException {
    long offset = 0;
    ArchiveAnswer answer;
    do {
      int count = (int) Math.min(file.bytes() - offset, buffer.length);
      if (in.readNBytes(buffer, 0, count) < count) {
        return ArchiveAnswer.malformed("%s ended early".formatted(file.file()));
      }
      answer = hand(new Arrival(file, offset, count, new CompletableFuture<>()));
      offset += count;
    } while (answer.isGood() && offset < file.bytes());
    return answer;
  }

  /** While the store is waited for, the client has no part in it. */
  private ArchiveAnswer hand(Arrival arrival) throws IOException {
    patience.end();
    try {
      offer(arrival);
      return arrival.answer().get();
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted while WAL was stored");
    } catch (ExecutionException e) {
      throw new AssertionError("an arrival is only ever answered", e);
    } finally {
      patience.begin();
    }
  }

  private synchronized void offer(Arrival arrival) {
    if (isClosed) {
      arrival.answer(ArchiveAnswer.UNAVAILABLE);
    } else {
      arrivals.add(arrival);
    }
  }
}
