package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;
import software.amazon.awssdk.services.s3.model.CreateBucketRequest;

/** A server that is reached by TLS, as those of clouds are: bodies are not part of signatures. */
class S3TlsTest {
  private static final String PASSWORD = "changeit";
  private static final ObjectName NAME = ObjectName.of("some/object");

  private static Path known;
  private static S3Proxy server;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    Path keys = directory.resolve("keys.p12");
    makeCertificate(keys);
    known = publicPart(keys);
    var store = new TransientNio2BlobStore();
    store.createContainer(CreateBucketRequest.builder().bucket("bucket").build());
    server =
        S3Proxy.builder()
            .blobStore(store)
            .secureEndpoint(URI.create("https://127.0.0.1:0"))
            .keyStore(keys.toString(), PASSWORD)
            .awsAuthentication(
                AuthenticationType.AWS_V4, ProxiedServer.ACCESS_KEY, ProxiedServer.SECRET_KEY)
            .ignoreUnknownHeaders(true)
            .stopTimeout(0)
            .build();
    server.start();
  }

  @AfterAll
  static void stop() throws Exception {
    server.stop();
  }

  @AfterEach
  void forget() {
    System.clearProperty("javax.net.ssl.trustStore");
    System.clearProperty("javax.net.ssl.trustStorePassword");
  }

  private static void makeCertificate(Path keys) throws Exception {
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-dname",
                "CN=127.0.0.1",
                "-ext",
                "SAN=ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                keys.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertTrue(keytool.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, keytool.exitValue());
  }

  /** What the server shows, as something that a JVM may be told to trust. */
  private static Path publicPart(Path keys) throws Exception {
    KeyStore store = KeyStore.getInstance(keys.toFile(), PASSWORD.toCharArray());
    KeyStore known = KeyStore.getInstance("PKCS12");
    known.load(null, null);
    known.setCertificateEntry("server", store.getCertificate("mykey"));
    Path file = keys.resolveSibling("known.p12");
    try (OutputStream out = Files.newOutputStream(file)) {
      known.store(out, PASSWORD.toCharArray());
    }
    return file;
  }

  private static S3Sink sink() {
    return S3Sink.bucket("bucket")
        .endpoint(URI.create("https://127.0.0.1:" + server.getSecurePort()))
        .pathStyle()
        .credentials(ProxiedServer.ACCESS_KEY, Secret.of(ProxiedServer.SECRET_KEY))
        .at(ProxiedServer.SMALL);
  }

  @Test
  void objects_of_one_request_and_of_several_come_back() throws Exception {
    System.setProperty("javax.net.ssl.trustStore", known.toString());
    System.setProperty("javax.net.ssl.trustStorePassword", PASSWORD);
    try (ObjectStore store = sink().open(StoreContext.system())) {
      for (int size : new int[] {0, 1, 100_000, (int) S3Pace.MIN_PART_BYTES + 1}) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);

        store.put(NAME, ObjectBody.of(bytes));

        try (InputStream in = store.open(NAME, ByteRange.ALL)) {
          assertArrayEquals(bytes, in.readAllBytes());
        }
        store.delete(NAME);
      }
    }
  }

  @Test
  void a_server_whose_certificate_nobody_vouches_for_is_told_with_what_to_do() {
    var e =
        assertThrows(
            BackupException.Sink.class,
            () -> {
              try (ObjectStore store = sink().open(StoreContext.system())) {
                store.put(NAME, ObjectBody.of(new byte[1]));
              }
            });

    assertEquals(CoreFailure.STORE_UNREACHABLE, e.code());
    assertEquals(Reason.REFUSED, e.reason());
    assertTrue(e.getMessage().contains("certificate"), e.getMessage());
    assertTrue(e.getMessage().contains("hint"), e.getMessage());
  }
}
