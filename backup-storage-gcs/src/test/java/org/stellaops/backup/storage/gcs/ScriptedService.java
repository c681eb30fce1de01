package org.stellaops.backup.storage.gcs;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.stellaops.backup.store.RetryPolicy;

/** Answers requests as it was told, one after the other, and remembers what was asked. */
final class ScriptedService implements AutoCloseable {
  /** In an answer: the nonce that the first request brought. */
  static final String NONCE_OF_FIRST = "NONCE OF FIRST";

  private static final Pattern NONCE = Pattern.compile("\"stella-nonce\":\"([^\"]+)\"");

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
    return URI.create("http://127.0.0.1:%d".formatted(server.getAddress().getPort()));
  }

  GcsSink sink() {
    return GcsSink.bucket("box").endpoint(endpoint()).withoutCredentials().retry(ONCE);
  }

  /** The next answer. */
  ScriptedService answer(int status, String json) {
    return answer(status, json, 0, Map.of());
  }

  /** The next answer: an upload in parts begins. */
  ScriptedService session(int number) {
    return answer(
        200, "", 0, Map.of("Location", endpoint() + "/upload/session?upload_id=" + number));
  }

  /** The next answer: so many bytes of an upload in parts have come. */
  ScriptedService received(int bytes) {
    return answer(308, "", 0, Map.of("Range", "bytes=0-%d".formatted(bytes - 1)));
  }

  /** The next answer: of so many bytes, none of which comes. */
  ScriptedService cut(int status, int bytes) {
    return answer(status, "", bytes, Map.of());
  }

  private synchronized ScriptedService answer(
      int status, String json, int missingBytes, Map<String, String> headers) {
    answers.add(new Answer(status, json, missingBytes, headers));
    return this;
  }

  /** The next answer: this error, in Google's form. */
  ScriptedService fail(int status, String reason, String message) {
    return answer(
        status,
        """
        {"error":{"code":%d,"message":"%s","errors":[{"reason":"%s","message":"%s"}]}}"""
            .formatted(status, message, reason, message));
  }

  /** The next answer: a list of nothing, so that there is a bucket. */
  ScriptedService emptyList() {
    return answer(200, "{\"kind\":\"storage#objects\"}");
  }

  synchronized List<Request> requests() {
    return List.copyOf(requests);
  }

  Request request(int number) {
    return requests().get(number);
  }

  private synchronized void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      String sent = new String(body(exchange).readAllBytes(), StandardCharsets.ISO_8859_1);
      requests.add(
          new Request(
              exchange.getRequestMethod(),
              exchange.getRequestURI().toString(),
              String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")),
              String.valueOf(exchange.getRequestHeaders().getFirst("Range")),
              sent));
      Answer answer = answers.isEmpty() ? new Answer(400, "", 0, Map.of()) : answers.remove();
      Matcher nonce = NONCE.matcher(requests.get(0).body());
      String text =
          nonce.find() ? answer.json().replace(NONCE_OF_FIRST, nonce.group(1)) : answer.json();
      byte[] body = text.getBytes(StandardCharsets.UTF_8);
      // Errors of media are plain text.
      exchange
          .getResponseHeaders()
          .set("Content-Type", text.startsWith("{") ? "application/json" : "text/plain");
      answer.headers().forEach(exchange.getResponseHeaders()::set);
      int announced = body.length + answer.missingBytes();
      exchange.sendResponseHeaders(answer.status(), announced == 0 ? -1 : announced);
      exchange.getResponseBody().write(body);
    }
  }

  private static InputStream body(HttpExchange exchange) throws IOException {
    boolean isCompressed = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
    InputStream sent = exchange.getRequestBody();
    return isCompressed ? new GZIPInputStream(sent) : sent;
  }

  @Override
  public void close() {
    server.stop(0);
  }

  /** What was asked. */
  record Request(String method, String target, String authorization, String range, String body) {}

  private record Answer(int status, String json, int missingBytes, Map<String, String> headers) {}
}
