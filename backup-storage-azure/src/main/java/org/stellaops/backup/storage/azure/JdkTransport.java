package org.stellaops.backup.storage.azure;

import com.azure.core.http.HttpClient;
import com.azure.core.http.HttpHeader;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.HttpHeaders;
import com.azure.core.http.HttpRequest;
import com.azure.core.http.HttpResponse;
import com.azure.core.util.Context;
import com.azure.core.util.FluxUtil;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The JDK's HTTP client below Azure's SDK. What is sent and received is in memory, in pieces of
 * bounded size, which is how this module uses the SDK.
 *
 * <p>The SDK's own adapter warns in the log with every request that has a body, for it can say its
 * length only by a header that the JDK does not let it set.
 */
final class JdkTransport implements HttpClient {
  /** Those that the JDK's client sets by itself, and lets nobody else set. */
  private static final Set<String> RESTRICTED =
      Set.of("connection", "content-length", "expect", "host", "upgrade");

  /**
   * One for all stores. A client has a thread and connections of its own, keeps both until it is
   * collected, and cannot be closed before JDK 21: one for each store would gather thousands.
   */
  private static final java.net.http.HttpClient CLIENT =
      // Azure Storage speaks HTTP/1.1 only. A redirect would take a signature elsewhere.
      java.net.http.HttpClient.newBuilder()
          .version(Version.HTTP_1_1)
          .followRedirects(Redirect.NEVER)
          .connectTimeout(Duration.ofSeconds(30))
          .build();

  private final Duration timeout;
  private final long maxBytes;

  /**
   * Bounds what is asked.
   *
   * @param timeout of a whole request
   * @param maxBytes of an answer
   */
  JdkTransport(Duration timeout, long maxBytes) {
    this.timeout = timeout;
    this.maxBytes = maxBytes;
  }

  @Override
  public Mono<HttpResponse> send(HttpRequest request) {
    return body(request)
        .flatMap(
            body ->
                Mono.fromFuture(
                    () ->
                        CLIENT.sendAsync(
                            translate(request, body), info -> new BoundedBody(maxBytes))))
        .timeout(timeout)
        .map(answer -> new Answer(request, answer));
  }

  @Override
  public Mono<HttpResponse> send(HttpRequest request, Context context) {
    return send(request);
  }

  private static Mono<BodyPublisher> body(HttpRequest request) {
    Flux<ByteBuffer> body = request.getBody();
    return body == null
        ? Mono.just(BodyPublishers.noBody())
        : FluxUtil.collectBytesInByteBufferStream(body).map(BodyPublishers::ofByteArray);
  }

  private static java.net.http.HttpRequest translate(HttpRequest request, BodyPublisher body) {
    var translated =
        java.net.http.HttpRequest.newBuilder(java.net.URI.create(request.getUrl().toString()))
            .method(request.getHttpMethod().toString(), body);
    for (HttpHeader header : request.getHeaders()) {
      if (!RESTRICTED.contains(header.getName().toLowerCase(Locale.ROOT))) {
        header.getValuesList().forEach(value -> translated.header(header.getName(), value));
      }
    }
    return translated.build();
  }

  /** An answer whose body was received whole. */
  private static final class Answer extends HttpResponse {
    private final int status;
    private final HttpHeaders headers = new HttpHeaders();
    private final byte[] body;

    Answer(HttpRequest request, java.net.http.HttpResponse<byte[]> answer) {
      super(request);
      this.status = answer.statusCode();
      this.body = answer.body();
      answer
          .headers()
          .map()
          .forEach((name, values) -> headers.set(HttpHeaderName.fromString(name), values));
    }

    @Override
    public int getStatusCode() {
      return status;
    }

    @Override
    @Deprecated
    public String getHeaderValue(String name) {
      return headers.getValue(HttpHeaderName.fromString(name));
    }

    @Override
    public HttpHeaders getHeaders() {
      return headers;
    }

    @Override
    public Flux<ByteBuffer> getBody() {
      return Flux.defer(() -> Flux.just(ByteBuffer.wrap(body)));
    }

    @Override
    public Mono<byte[]> getBodyAsByteArray() {
      return Mono.just(body);
    }

    @Override
    public Mono<String> getBodyAsString() {
      return getBodyAsString(StandardCharsets.UTF_8);
    }

    @Override
    public Mono<String> getBodyAsString(Charset charset) {
      return Mono.just(new String(body, charset));
    }

    @Override
    public HttpResponse buffer() {
      return this;
    }
  }
}
