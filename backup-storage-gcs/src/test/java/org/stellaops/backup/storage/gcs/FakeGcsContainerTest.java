package org.stellaops.backup.storage.gcs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.cloud.NoCredentials;
import com.google.cloud.storage.BucketInfo;
import com.google.cloud.storage.StorageOptions;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.BackupSinkContract;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;

/** The contract against fake-gcs-server in a container. */
@Tag("docker")
@Testcontainers(disabledWithoutDocker = true)
class FakeGcsContainerTest extends BackupSinkContract {
  private static final int PORT = 4443;

  @Container
  private static final GenericContainer<?> SERVER =
      new GenericContainer<>("fsouza/fake-gcs-server:1.52.2")
          .withCommand("-backend=memory", "-scheme=http", "-host=0.0.0.0", "-port=" + PORT)
          .withExposedPorts(PORT)
          .waitingFor(Wait.forHttp("/_internal/healthcheck").forPort(PORT));

  /** It sends clients to itself, and cannot know under which port they know it. */
  @BeforeAll
  static void sayWhereItIs() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(endpoint().resolve("/_internal/config"))
            .header("Content-Type", "application/json")
            .PUT(
                HttpRequest.BodyPublishers.ofString(
                    "{\"externalUrl\": \"%s\"}".formatted(endpoint())))
            .build();
    HttpResponse<Void> reply =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.discarding());
    assertEquals(200, reply.statusCode());
  }

  private static URI endpoint() {
    return URI.create("http://%s:%d".formatted(SERVER.getHost(), SERVER.getMappedPort(PORT)));
  }

  @Override
  protected BackupSink newSink() {
    String bucket = "b-" + UUID.randomUUID();
    StorageOptions.http()
        .setProjectId("test")
        .setHost(endpoint().toString())
        .setCredentials(NoCredentials.getInstance())
        .build()
        .getService()
        .create(BucketInfo.of(bucket));
    return GcsSink.bucket(bucket).endpoint(endpoint()).withoutCredentials().prefix("some/where");
  }
}
