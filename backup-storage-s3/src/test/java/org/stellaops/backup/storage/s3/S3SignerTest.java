package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Digest;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.SignRequest;
import software.amazon.awssdk.http.auth.spi.signer.SignedRequest;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;

class S3SignerTest {
  private static final byte[] BODY = new byte[S3Signer.LONG_BYTES];
  private static final String CHECKSUM =
      Base64.getEncoder().encodeToString(Digest.ofContent(BODY).bytes());

  private final AtomicInteger readings = new AtomicInteger();
  private final ContentStreamProvider body =
      () -> {
        readings.incrementAndGet();
        return new ByteArrayInputStream(BODY);
      };

  private SignRequest<AwsCredentialsIdentity> request(String endpoint, boolean isTold) {
    SdkHttpFullRequest.Builder put =
        SdkHttpFullRequest.builder()
            .method(SdkHttpMethod.PUT)
            .uri(URI.create(endpoint + "/bucket/some%20key"))
            .putHeader("content-length", String.valueOf(BODY.length));
    if (isTold) {
      put.putHeader("x-amz-checksum-sha256", CHECKSUM);
    }
    return SignRequest.builder(AwsCredentialsIdentity.create("access", "secret"))
        .request(put.build())
        .payload(body)
        .putProperty(AwsV4HttpSigner.REGION_NAME, "eu-central-1")
        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "s3")
        .putProperty(AwsV4HttpSigner.PAYLOAD_SIGNING_ENABLED, false)
        .putProperty(AwsV4HttpSigner.DOUBLE_URL_ENCODE, false)
        .putProperty(
            HttpSigner.SIGNING_CLOCK,
            Clock.fixed(Instant.parse("2026-03-01T12:00:00Z"), ZoneOffset.UTC))
        .build();
  }

  @Test
  void signs_as_the_sdk_does_without_reading_the_body() throws IOException {
    SignRequest<AwsCredentialsIdentity> request = request("http://127.0.0.1:9000", true);
    SdkHttpRequest expected = AwsV4HttpSigner.create().sign(request).request();
    assertEquals(1, readings.get(), "read by the SDK's own signer");

    SignedRequest signed = new S3Signer().sign(request);
    assertEquals(1, readings.get(), "read by ours, too");
    assertEquals(expected.headers(), signed.request().headers());
    assertEquals(
        Digest.ofContent(BODY).hex(),
        signed.request().firstMatchingHeader("x-amz-content-sha256").orElseThrow());
    assertArrayEquals(BODY, signed.payload().orElseThrow().newStream().readAllBytes());
  }

  @Test
  void leaves_to_the_sdk_what_says_no_digest_or_is_encrypted_on_its_way() {
    for (SignRequest<AwsCredentialsIdentity> request :
        List.of(request("http://127.0.0.1:9000", false), request("https://bucket.example", true))) {
      assertEquals(
          AwsV4HttpSigner.create().sign(request).request().headers(),
          new S3Signer().sign(request).request().headers());
    }
  }
}
