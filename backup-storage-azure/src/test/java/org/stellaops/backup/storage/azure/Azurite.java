package org.stellaops.backup.storage.azure;

import com.azure.core.util.Configuration;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.BlobServiceClient;
import com.azure.storage.blob.BlobServiceClientBuilder;
import com.azure.storage.blob.models.BlobItem;
import com.azure.storage.blob.models.BlobListDetails;
import com.azure.storage.blob.models.ListBlobsOptions;
import com.azure.storage.common.StorageSharedKeyCredential;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.Secret;

/** An Azurite of its own on a free port of loopback, which keeps its blobs in memory. */
final class Azurite implements AutoCloseable {
  /** The account that every Azurite has, and its published key. */
  static final String ACCOUNT = "devstoreaccount1";

  static final String KEY =
      "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

  private static final Pattern LISTENING =
      Pattern.compile("successfully listens on http://127\\.0\\.0\\.1:(\\d+)");

  private final URI endpoint;
  private Process process;

  private Azurite(Process process, URI endpoint) {
    this.process = process;
    this.endpoint = endpoint;
  }

  static Azurite start() throws IOException {
    Process process = launch(0);
    return new Azurite(
        process, URI.create("http://127.0.0.1:%d/%s".formatted(port(process), ACCOUNT)));
  }

  /** Forgets everything, and goes on where it was. */
  void restart() throws IOException {
    int port = port();
    close();
    process = launch(port);
    if (port(process) != port) {
      throw new IOException("Azurite is elsewhere now");
    }
  }

  private static Process launch(int port) throws IOException {
    return new ProcessBuilder(
            "azurite-blob",
            "--inMemoryPersistence",
            "--disableTelemetry",
            "--skipApiVersionCheck",
            "--silent",
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            Integer.toString(port))
        .redirectErrorStream(true)
        .start();
  }

  private static int port(Process process) throws IOException {
    var said = new StringBuilder();
    var out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      said.append(line).append('\n');
      Matcher listening = LISTENING.matcher(line);
      if (listening.find()) {
        return Integer.parseInt(listening.group(1));
      }
    }
    throw new IOException("Azurite does not start: " + said);
  }

  URI endpoint() {
    return endpoint;
  }

  /** The port of loopback. */
  int port() {
    return endpoint.getPort();
  }

  /** A container that nothing is in, with all rights. */
  AzureSink newSink() {
    return sink(newContainer().getBlobContainerName());
  }

  AzureSink sink(String container) {
    return AzureSink.container(container).endpoint(endpoint).sharedKey(() -> Secret.of(KEY));
  }

  BlobContainerClient newContainer() {
    BlobContainerClient container = client().getBlobContainerClient("c-" + UUID.randomUUID());
    container.create();
    return container;
  }

  BlobServiceClient client() {
    return new BlobServiceClientBuilder()
        .endpoint(endpoint.toString())
        .configuration(Configuration.NONE)
        .credential(new StorageSharedKeyCredential(ACCOUNT, KEY))
        .httpClient(new JdkTransport(Duration.ofSeconds(30), 32 << 20))
        .buildClient();
  }

  /** What has blocks and is no blob, as Azure lists it to whoever asks for that. */
  static List<String> unfinished(BlobContainerClient container) {
    var withBlocks = new BlobListDetails().setRetrieveUncommittedBlobs(true);
    Set<String> blobs = new TreeSet<>();
    container.listBlobs().forEach(blob -> blobs.add(blob.getName()));
    return container.listBlobs(new ListBlobsOptions().setDetails(withBlocks), null).stream()
        .map(BlobItem::getName)
        .filter(name -> !blobs.contains(name))
        .toList();
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
