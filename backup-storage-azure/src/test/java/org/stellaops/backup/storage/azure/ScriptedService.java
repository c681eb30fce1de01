package org.stellaops.backup.storage.azure;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.store.RetryPolicy;

/** Answers requests as it was told, one after the other, and remembers what was asked. */
final class ScriptedService implements AutoCloseable {
  /** Base64 of nothing in particular. */
  static final String KEY = "c2VjcmV0LWtleS1vZi1ub2JvZHk=";

  /** What failed is not tried again. */
  static final RetryPolicy ONCE = new RetryPolicy(1, Duration.ZERO, Duration.ZERO);

  private final HttpServer server;
  private final Deque<Answer> answers = new ArrayDeque<>();
  private final List<Request> requests = new ArrayList<>();

  private ScriptedService(HttpServer server) {
    this.server = server;
  }

  static ScriptedService start() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    var service = new ScriptedService(server);
    server.createContext("/", service::serve);
    server.start();
    return service;
  }

  URI endpoint() {
    return URI.create("http://127.0.0.1:%d/acc".formatted(server.getAddress().getPort()));
  }

  AzureSink sink() {
    return AzureSink.container("box")
        .endpoint(endpoint())
        .sharedKey(() -> Secret.of(KEY))
        .retry(ONCE);
  }

  /** The next answer. */
  synchronized ScriptedService answer(int status, Map<String, String> headers, String body) {
    answers.add(new Answer(status, headers, body));
    return this;
  }

  /** The next answer: this error. */
  ScriptedService fail(int status, String code) {
    return answer(status, Map.of("x-ms-error-code", code), "");
  }

  /** The next answer: these properties of a blob. */
  ScriptedService properties(Map<String, String> more) {
    Map<String, String> headers = new TreeMap<>(more);
    headers.put("Last-Modified", "Sun, 22 Nov 2026 06:00:00 GMT");
    headers.put("ETag", "\"0x1\"");
    headers.put("x-ms-blob-type", "BlockBlob");
    return answer(200, headers, "");
  }

  synchronized List<Request> requests() {
    return List.copyOf(requests);
  }

  Request request(int number) {
    return requests().get(number);
  }

  private synchronized void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, values.get(0)));
      requests.add(
          new Request(exchange.getRequestMethod(), exchange.getRequestURI().toString(), headers));
      Answer answer = answers.isEmpty() ? new Answer(400, Map.of(), "") : answers.remove();
      answer.headers().forEach(exchange.getResponseHeaders()::set);
      // The nonce of the first put, for an answer that says whose a blob is.
      exchange
          .getResponseHeaders()
          .replaceAll((name, values) -> values.stream().map(this::filledIn).toList());
      byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
      boolean isHead = exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(answer.status(), isHead || body.length == 0 ? -1 : body.length);
      if (!isHead) {
        exchange.getResponseBody().write(body);
      }
    }
  }

  private String filledIn(String header) {
    return header.equals("NONCE OF FIRST")
        ? requests.get(0).headers().getOrDefault("x-ms-meta-" + AzureUpload.NONCE, "")
        : header;
  }

  @Override
  public void close() {
    server.stop(0);
  }

  /** What was asked; names of headers in any case. */
  record Request(String method, String target, Map<String, String> headers) {
    String header(String name) {
      return headers.getOrDefault(name, "");
    }
  }

  private record Answer(int status, Map<String, String> headers, String body) {}
}
