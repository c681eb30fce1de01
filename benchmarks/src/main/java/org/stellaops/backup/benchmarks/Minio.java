package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

/** MinIO on loopback; a bucket is a directory below its own. */
record Minio(Process process, URI uri) implements AutoCloseable {
  static final String USER = "benchmark";
  static final String PASSWORD = "benchmark-secret";

  /** Starts it and waits until it answers. */
  static Minio start(Path work) throws IOException, InterruptedException {
    Files.createDirectories(work);
    URI uri = URI.create("http://127.0.0.1:" + freePort());
    ProcessBuilder builder =
        new ProcessBuilder(
                "minio",
                "server",
                "--quiet",
                "--address",
                uri.getAuthority(),
                "--console-address",
                "127.0.0.1:" + freePort(),
                work.resolve("data").toString())
            .redirectErrorStream(true)
            .redirectOutput(work.resolve("minio.log").toFile());
    builder.environment().put("MINIO_ROOT_USER", USER);
    builder.environment().put("MINIO_ROOT_PASSWORD", PASSWORD);
    Process process = builder.start();
    while (process.isAlive() && !isReady(uri)) {
      Thread.sleep(100);
    }
    if (!process.isAlive()) {
      throw new IOException("MinIO did not start: " + Files.readString(work.resolve("minio.log")));
    }
    return new Minio(process, uri);
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean isReady(URI uri) {
    try {
      var connection =
          (HttpURLConnection) uri.resolve("/minio/health/cluster").toURL().openConnection();
      return connection.getResponseCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    process.destroy();
  }
}
