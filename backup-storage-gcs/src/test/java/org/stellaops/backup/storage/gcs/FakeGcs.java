package org.stellaops.backup.storage.gcs;

import com.google.cloud.NoCredentials;
import com.google.cloud.storage.BucketInfo;
import com.google.cloud.storage.Storage;
import com.google.cloud.storage.StorageOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A fake-gcs-server of its own on a free port of loopback, which keeps its objects in memory. */
final class FakeGcs implements AutoCloseable {
  private final Process process;
  private final URI endpoint;

  private FakeGcs(Process process, URI endpoint) {
    this.process = process;
    this.endpoint = endpoint;
  }

  static FakeGcs start() throws IOException {
    int port = freePort();
    return start(port, URI.create("http://127.0.0.1:" + port));
  }

  /**
   * One whose addresses of uploads begin with another.
   *
   * @param external a proxy before it
   */
  static FakeGcs start(int port, URI external) throws IOException {
    Process process =
        new ProcessBuilder(
                "fake-gcs-server",
                "-backend=memory",
                "-scheme=http",
                "-host=127.0.0.1",
                "-port=" + port,
                "-public-host=127.0.0.1:" + port,
                "-external-url=" + external)
            .redirectErrorStream(true)
            .start();
    var said = new StringBuilder();
    var out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      said.append(line).append('\n');
      if (line.contains("server started")) {
        drain(out);
        return new FakeGcs(process, URI.create("http://127.0.0.1:" + port));
      }
    }
    throw new IOException("fake-gcs-server does not start: " + said);
  }

  /** It writes a line for each request, and waits when nobody reads them. */
  private static void drain(BufferedReader out) {
    var reader =
        new Thread(
            () -> {
              try (out) {
                while (out.readLine() != null) {
                  // Nobody wants to know.
                }
              } catch (IOException e) {
                // It was ended.
              }
            },
            "fake-gcs-server");
    reader.setDaemon(true);
    reader.start();
  }

  static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  URI endpoint() {
    return endpoint;
  }

  /** A bucket that nothing is in. */
  GcsSink newSink() {
    return sink(newBucket());
  }

  GcsSink sink(String bucket) {
    return GcsSink.bucket(bucket).endpoint(endpoint).withoutCredentials();
  }

  String newBucket() {
    String name = "b-" + UUID.randomUUID();
    client().create(BucketInfo.of(name));
    return name;
  }

  /** Over HTTP there is nothing to close. */
  Storage client() {
    return StorageOptions.http()
        .setProjectId("test")
        .setHost(endpoint.toString())
        .setCredentials(NoCredentials.getInstance())
        .build()
        .getService();
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
