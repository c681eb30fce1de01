package org.stellaops.backup.storage.s3;

import java.io.IOException;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.utils.AttributeMap;

/**
 * The JDK's URL connection below the SDK, which ends the connection of a request that failed before
 * its answer. Left open until it is collected, it would keep the server waiting for the rest of a
 * body that cannot be read, and some keep everybody else waiting for that name.
 */
final class S3Transport implements SdkHttpClient {
  private final SdkHttpClient inner;

  private S3Transport(SdkHttpClient inner) {
    this.inner = inner;
  }

  /** Built by whoever closes it. */
  record Builder(UrlConnectionHttpClient.Builder inner) implements SdkHttpClient.Builder<Builder> {
    @Override
    public SdkHttpClient buildWithDefaults(AttributeMap defaults) {
      return new S3Transport(inner.buildWithDefaults(defaults));
    }
  }

  @Override
  public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
    return new Ending(inner.prepareRequest(request));
  }

  @Override
  public String clientName() {
    return inner.clientName();
  }

  @Override
  public void close() {
    inner.close();
  }

  private record Ending(ExecutableHttpRequest inner) implements ExecutableHttpRequest {
    @Override
    public HttpExecuteResponse call() throws IOException {
      boolean isAnswered = false;
      try {
        HttpExecuteResponse response = inner.call();
        isAnswered = true;
        return response;
      } finally {
        if (!isAnswered) {
          inner.abort();
        }
      }
    }

    @Override
    public void abort() {
      inner.abort();
    }
  }
}
