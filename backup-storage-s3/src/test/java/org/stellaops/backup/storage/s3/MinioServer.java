package org.stellaops.backup.storage.s3;

import java.io.File;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.stellaops.backup.model.Secret;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** MinIO on a free port of loopback, with a directory of its own. */
final class MinioServer implements AutoCloseable {
  static final String ACCESS_KEY = "minio-root";
  static final String SECRET_KEY = "minio-root-secret";
  private static final long START_SECONDS = 60;

  private final Process process;
  private final URI uri;
  private final S3Client client;
  private final AtomicInteger buckets = new AtomicInteger();

  private MinioServer(Process process, URI uri) {
    this.process = process;
    this.uri = uri;
    client =
        S3Client.builder()
            .region(Region.US_EAST_1)
            .endpointOverride(uri)
            .forcePathStyle(true)
            .credentialsProvider(
                StaticCredentialsProvider.create(
                    AwsBasicCredentials.create(ACCESS_KEY, SECRET_KEY)))
            .httpClient(UrlConnectionHttpClient.create())
            .build();
  }

  static MinioServer start(Path directory) throws Exception {
    int port = freePort();
    File log = directory.resolve("minio.log").toFile();
    ProcessBuilder builder =
        new ProcessBuilder(
                "minio",
                "server",
                "--quiet",
                "--address",
                "127.0.0.1:" + port,
                "--console-address",
                "127.0.0.1:" + freePort(),
                directory.resolve("data").toString())
            .redirectErrorStream(true)
            .redirectOutput(log);
    builder.environment().put("MINIO_ROOT_USER", ACCESS_KEY);
    builder.environment().put("MINIO_ROOT_PASSWORD", SECRET_KEY);
    builder.environment().put("MINIO_BROWSER", "off");
    var server = new MinioServer(builder.start(), URI.create("http://127.0.0.1:" + port));
    server.awaitHealth(log.toPath());
    return server;
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitHealth(Path log) throws Exception {
    for (int attempt = 0; attempt < START_SECONDS * 10; attempt++) {
      if (isHealthy()) {
        return;
      }
      if (process.waitFor(100, TimeUnit.MILLISECONDS)) {
        break;
      }
    }
    close();
    throw new AssertionError("MinIO did not start: " + Files.readString(log));
  }

  private boolean isHealthy() throws IOException {
    var connection =
        (HttpURLConnection) uri.resolve("/minio/health/cluster").toURL().openConnection();
    try {
      return connection.getResponseCode() == 200;
    } catch (IOException e) {
      return false;
    } finally {
      connection.disconnect();
    }
  }

  S3Sink newSink() {
    return sink(newBucket(false));
  }

  /** A bucket made with object lock. */
  S3Sink newLockingSink() {
    return sink(newBucket(true));
  }

  String newBucket(boolean isLocking) {
    String bucket = "bucket-" + buckets.incrementAndGet();
    client.createBucket(r -> r.bucket(bucket).objectLockEnabledForBucket(isLocking));
    return bucket;
  }

  S3Sink sink(String bucket) {
    return S3Sink.bucket(bucket)
        .endpoint(uri)
        .pathStyle()
        .credentials(ACCESS_KEY, Secret.of(SECRET_KEY));
  }

  URI uri() {
    return uri;
  }

  S3Client client() {
    return client;
  }

  @Override
  public void close() {
    client.close();
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
