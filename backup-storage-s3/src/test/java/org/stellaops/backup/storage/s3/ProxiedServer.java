package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.testkit.FaultyProxy;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.S3Object;

/** S3Proxy on memory, in this JVM, and a faulty proxy before it. */
final class ProxiedServer implements AutoCloseable {
  static final String ACCESS_KEY = "local-identity";
  static final String SECRET_KEY = "local-credential";

  /** Parts and pages small enough to have several, no waiting, and every upload is a stray. */
  static final S3Pace SMALL =
      new S3Pace(
          S3Pace.MIN_PART_BYTES,
          2 * S3Pace.MIN_PART_BYTES,
          1 << 20,
          1,
          Runnable::run,
          3,
          Duration.ofMillis(1),
          Duration.ofSeconds(-5),
          7,
          6 << 20);

  private final S3Proxy server;
  private final FaultyProxy proxy;
  private final S3Client client;
  private final AtomicInteger buckets = new AtomicInteger();

  private ProxiedServer(S3Proxy server, FaultyProxy proxy, URI uri) {
    this.server = server;
    this.proxy = proxy;
    client =
        S3Client.builder()
            .region(Region.US_EAST_1)
            .endpointOverride(uri)
            .forcePathStyle(true)
            .credentialsProvider(
                StaticCredentialsProvider.create(
                    AwsBasicCredentials.create(ACCESS_KEY, SECRET_KEY)))
            // S3Proxy answers before it has read what follows the bytes of a chunked body; the
            // client
            // takes that for a failure and puts the object once more.
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .serviceConfiguration(c -> c.chunkedEncodingEnabled(false))
            .httpClient(UrlConnectionHttpClient.create())
            .build();
  }

  static ProxiedServer start() throws Exception {
    S3Proxy server =
        S3Proxy.builder()
            .blobStore(new TransientNio2BlobStore())
            .endpoint(URI.create("http://127.0.0.1:0"))
            .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
            .ignoreUnknownHeaders(true)
            .stopTimeout(0)
            .build();
    server.start();
    URI uri = URI.create("http://127.0.0.1:" + server.getPort());
    return new ProxiedServer(server, FaultyProxy.before(uri), uri);
  }

  /** A new bucket, reached through the proxy. */
  S3Sink newSink() {
    return sink(newBucket());
  }

  /** The name of a new bucket. */
  String newBucket() {
    String bucket = "bucket-" + buckets.incrementAndGet();
    client.createBucket(r -> r.bucket(bucket));
    return bucket;
  }

  /** Forgets a bucket and all that is in it. */
  void dropBucket(String bucket) {
    for (MultipartUpload upload : client.listMultipartUploads(r -> r.bucket(bucket)).uploads()) {
      client.abortMultipartUpload(
          r -> r.bucket(bucket).key(upload.key()).uploadId(upload.uploadId()));
    }
    for (S3Object object : client.listObjectsV2Paginator(r -> r.bucket(bucket)).contents()) {
      client.deleteObject(r -> r.bucket(bucket).key(object.key()));
    }
    client.deleteBucket(r -> r.bucket(bucket));
  }

  /** A bucket of that name, reached through the proxy. */
  S3Sink sink(String bucket) {
    return S3Sink.bucket(bucket)
        .endpoint(proxy.uri())
        .pathStyle()
        .credentials(ACCESS_KEY, Secret.of(SECRET_KEY))
        .at(SMALL);
  }

  /** The server itself. */
  URI uri() {
    return URI.create("http://127.0.0.1:" + server.getPort());
  }

  FaultyProxy proxy() {
    return proxy;
  }

  /** Past the proxy. */
  S3Client client() {
    return client;
  }

  @Override
  public void close() throws IOException {
    client.close();
    proxy.close();
    try {
      server.stop();
    } catch (Exception e) {
      throw new IOException(e);
    }
  }
}
