package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A proxy forwards faithfully what no fault meets, and fails what one does at the place it says.
 */
class FaultyProxyTest {
  private static final byte[] BODY = SeededBytes.of(7, 300_000);

  private final List<String> served = new CopyOnWriteArrayList<>();
  private final AtomicInteger torn = new AtomicInteger();
  private HttpServer server;
  private FaultyProxy proxy;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::serve);
    server.start();
    proxy = FaultyProxy.before(server.getAddress());
  }

  @AfterEach
  void stop() throws IOException {
    proxy.close();
    server.stop(0);
  }

  @Test
  void bodies_of_both_framings_arrive_as_they_were_sent() throws Exception {
    assertArrayEquals(BODY, put("/counted?a=b").body());
    HttpRequest chunked =
        HttpRequest.newBuilder(at("/chunked"))
            .PUT(BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(BODY)))
            .expectContinue(true)
            .build();
    assertArrayEquals(BODY, send(chunked).body());
    assertEquals(List.of("PUT /counted 300000", "PUT /chunked 300000"), served);
  }

  @Test
  void requests_are_numbered_and_recorded_without_showing_what_is_secret() throws Exception {
    send(HttpRequest.newBuilder(at("/x%20y?list&n=1")).header("Authorization", "abc").build());
    send(HttpRequest.newBuilder(at("/z")).DELETE().build());

    List<ProxiedRequest> requests = proxy.requests();
    assertEquals("request 0, GET /x%20y?list&n=1", requests.get(0).toString());
    assertEquals("abc", requests.get(0).header("authorization").orElseThrow());
    assertEquals("request 1, DELETE /z", requests.get(1).toString());
    proxy.follow(ProxyPlan.none());
    assertEquals(List.of(), proxy.requests());
  }

  @Test
  void a_reset_request_does_not_reach_the_server() throws Exception {
    proxy.follow(ProxyPlan.at(0, ProxyFault.reset()));

    assertThrows(IOException.class, () -> put("/once"));
    assertEquals(List.of(), served);
    assertEquals(200, put("/again").statusCode());
  }

  @Test
  void a_reset_within_the_body_tears_it_for_the_server_too() throws Exception {
    proxy.follow(ProxyPlan.at(0, ProxyFault.resetInBody(100_000)));

    assertThrows(IOException.class, () -> put("/torn"));
    assertEquals(200, put("/again").statusCode());
    assertEquals(List.of("PUT /again 300000"), served);
    assertEquals(1, torn.get());
  }

  @Test
  void a_lost_reply_is_to_a_request_that_was_done() {
    proxy.follow(ProxyPlan.at(0, ProxyFault.lostReply()));

    assertThrows(IOException.class, () -> put("/done"));
    assertEquals(List.of("PUT /done 300000"), served);
  }

  @Test
  void a_burst_of_statuses_comes_with_header_and_body_and_ends() throws Exception {
    proxy.follow(
        ProxyPlan.burst(0, 2, ProxyFault.status(503, Map.of("Retry-After", "7"), "<slow/>")));

    for (int i = 0; i < 2; i++) {
      HttpResponse<byte[]> reply = put("/x");
      assertEquals(503, reply.statusCode());
      assertEquals("7", reply.headers().firstValue("Retry-After").orElseThrow());
      assertEquals("<slow/>", new String(reply.body(), StandardCharsets.UTF_8));
    }
    assertEquals(200, put("/x").statusCode());
    assertEquals(1, served.size());
  }

  @Test
  void a_truncated_reply_ends_after_so_many_bytes() throws Exception {
    proxy.follow(ProxyPlan.at(0, ProxyFault.truncatedReply(1_000)));

    HttpRequest request =
        HttpRequest.newBuilder(at("/t")).PUT(BodyPublishers.ofByteArray(BODY)).build();
    HttpResponse<InputStream> reply =
        HttpClient.newHttpClient().send(request, BodyHandlers.ofInputStream());
    try (InputStream body = reply.body()) {
      assertThrows(IOException.class, body::readAllBytes);
    }
    assertEquals(List.of("PUT /t 300000"), served);
  }

  @Test
  void latency_delays_and_then_forwards() throws Exception {
    proxy.follow(ProxyPlan.on(r -> r.path().equals("/slow"), ProxyFault.latency(ofMillis(300))));

    long start = System.nanoTime();
    assertEquals(200, put("/slow").statusCode());
    assertTrue(System.nanoTime() - start >= ofMillis(300).toNanos());
  }

  @Test
  void a_closed_proxy_refuses_for_ever() throws Exception {
    proxy.follow(ProxyPlan.from(1, ProxyFault.reset()));
    assertEquals(200, put("/x").statusCode());
    assertThrows(IOException.class, () -> put("/x"));
    assertThrows(IOException.class, () -> put("/x"));

    proxy.close();

    assertThrows(IOException.class, () -> put("/x"));
    assertNotEquals(0, server.getAddress().getPort());
  }

  private static Duration ofMillis(long millis) {
    return Duration.ofMillis(millis);
  }

  private HttpResponse<byte[]> put(String path) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(at(path)).PUT(BodyPublishers.ofByteArray(BODY)).build());
  }

  private static HttpResponse<byte[]> send(HttpRequest request)
      throws IOException, InterruptedException {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .build()
        .send(request, BodyHandlers.ofByteArray());
  }

  private URI at(String path) {
    return URI.create(proxy.uri() + path);
  }

  /** Answers a put with what it got. */
  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] got;
      try {
        got = exchange.getRequestBody().readAllBytes();
      } catch (IOException e) {
        torn.incrementAndGet();
        throw e;
      }
      String length = exchange.getRequestHeaders().getFirst("Content-Length");
      if (length != null && got.length < Long.parseLong(length)) {
        torn.incrementAndGet();
        throw new EOFException();
      }
      served.add(
          "%s %s %d"
              .formatted(
                  exchange.getRequestMethod(), exchange.getRequestURI().getPath(), got.length));
      exchange.sendResponseHeaders(200, got.length == 0 ? -1 : got.length);
      exchange.getResponseBody().write(got);
    }
  }
}
