package org.stellaops.backup.storage.s3;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.Secret;

/** Answers requests as it was told, one after the other, and remembers what was asked. */
final class ScriptedServer implements AutoCloseable {
  private static final String XML = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

  /** So the JDK's server takes it. */
  private static final int CHUNKED = 0;

  private final HttpServer server;
  private final Deque<Answer> answers = new ArrayDeque<>();
  private final List<Request> requests = new ArrayList<>();

  private ScriptedServer(HttpServer server) {
    this.server = server;
  }

  static ScriptedServer start() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    var scripted = new ScriptedServer(server);
    server.createContext("/", scripted::serve);
    server.start();
    return scripted;
  }

  /** A bucket of it, with three attempts and no waiting. */
  S3Sink sink() {
    return S3Sink.bucket("box")
        .endpoint(URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
        .pathStyle()
        .credentials("key", Secret.of("word"))
        .at(ProxiedServer.SMALL);
  }

  /** The next answer, of a length that it says. */
  ScriptedServer answer(int status, Map<String, String> headers, String body) {
    return answer(new Answer(status, headers, body, body.length()));
  }

  /** The next answer, which breaks off before the length that it says. */
  ScriptedServer cut(int status, Map<String, String> headers, String body, int length) {
    return answer(new Answer(status, headers, body, length));
  }

  /** The next answer, of a length that it does not say. */
  ScriptedServer chunked(int status, Map<String, String> headers, String body) {
    return answer(new Answer(status, headers, body, CHUNKED));
  }

  /** The next answer: a document. */
  ScriptedServer xml(String body) {
    return answer(200, Map.of("Content-Type", "application/xml"), XML + body);
  }

  /** The next answer: this error. */
  ScriptedServer fail(int status, String code) {
    return answer(
        status,
        Map.of("Content-Type", "application/xml"),
        XML + "<Error><Code>%s</Code><Message>m</Message></Error>".formatted(code));
  }

  private synchronized ScriptedServer answer(Answer answer) {
    answers.add(answer);
    return this;
  }

  synchronized List<Request> requests() {
    return List.copyOf(requests);
  }

  /** What was asked, as {@code GET /box/some/object}. */
  List<String> asked() {
    return requests().stream().map(r -> r.method() + " " + r.target()).toList();
  }

  private synchronized void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, values.get(0)));
      requests.add(
          new Request(exchange.getRequestMethod(), exchange.getRequestURI().toString(), headers));
      Answer answer = answers.isEmpty() ? new Answer(500, Map.of(), "", 0) : answers.remove();
      answer.headers().forEach(exchange.getResponseHeaders()::set);
      byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
      boolean isHead = exchange.getRequestMethod().equals("HEAD");
      boolean isEmpty = isHead || body.length == 0;
      exchange.sendResponseHeaders(answer.status(), isEmpty ? -1 : answer.length());
      if (!isEmpty) {
        exchange.getResponseBody().write(body);
        // A newer JDK's server forgets what is not flushed where an answer breaks off.
        exchange.getResponseBody().flush();
      }
    }
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

  private record Answer(int status, Map<String, String> headers, String body, int length) {}
}
