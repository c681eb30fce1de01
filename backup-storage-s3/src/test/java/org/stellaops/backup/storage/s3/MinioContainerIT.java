package org.stellaops.backup.storage.s3;

import java.net.URI;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.BackupSinkContract;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** A bucket of MinIO in a container. */
@Tag("docker")
@Testcontainers(disabledWithoutDocker = true)
class MinioContainerIT extends BackupSinkContract {
  private static final int PORT = 9000;

  @Container
  private static final GenericContainer<?> MINIO =
      new GenericContainer<>("minio/minio:RELEASE.2025-04-22T22-12-26Z")
          .withCommand("server", "/data")
          .withEnv("MINIO_ROOT_USER", MinioServer.ACCESS_KEY)
          .withEnv("MINIO_ROOT_PASSWORD", MinioServer.SECRET_KEY)
          .withExposedPorts(PORT)
          .waitingFor(Wait.forHttp("/minio/health/cluster").forPort(PORT));

  @Override
  protected BackupSink newSink() {
    URI endpoint = URI.create("http://%s:%d".formatted(MINIO.getHost(), MINIO.getMappedPort(PORT)));
    String bucket = "bucket-" + UUID.randomUUID();
    try (S3Client client =
        S3Client.builder()
            .region(Region.US_EAST_1)
            .endpointOverride(endpoint)
            .forcePathStyle(true)
            .credentialsProvider(
                StaticCredentialsProvider.create(
                    AwsBasicCredentials.create(MinioServer.ACCESS_KEY, MinioServer.SECRET_KEY)))
            .httpClient(UrlConnectionHttpClient.create())
            .build()) {
      client.createBucket(r -> r.bucket(bucket));
    }
    return S3Sink.bucket(bucket)
        .endpoint(endpoint)
        .pathStyle()
        .prefix("p")
        .credentials(MinioServer.ACCESS_KEY, Secret.of(MinioServer.SECRET_KEY));
  }
}
