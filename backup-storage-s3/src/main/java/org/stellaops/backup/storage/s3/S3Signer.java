package org.stellaops.backup.storage.s3;

import java.io.InputStream;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.checksums.DefaultChecksumAlgorithm;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.scheme.AwsV4AuthScheme;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.AsyncSignRequest;
import software.amazon.awssdk.http.auth.spi.signer.AsyncSignedRequest;
import software.amazon.awssdk.http.auth.spi.signer.PayloadChecksumStore;
import software.amazon.awssdk.http.auth.spi.signer.SdkInternalHttpSignerProperty;
import software.amazon.awssdk.http.auth.spi.signer.SignRequest;
import software.amazon.awssdk.http.auth.spi.signer.SignedRequest;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;
import software.amazon.awssdk.identity.spi.IdentityProvider;
import software.amazon.awssdk.identity.spi.IdentityProviders;

/**
 * The SDK's signature of version 4, made without reading a body whose SHA-256 its request says.
 *
 * <p>Over plain HTTP the signature covers that digest, for which the SDK would read the whole body
 * once before it sends it. What is sent is held against the digest as ever, by {@link S3Body} and
 * by the server.
 */
final class S3Signer implements AwsV4HttpSigner {
  private static final String CHECKSUM = "x-amz-checksum-sha256";
  private static final ContentStreamProvider UNREAD = InputStream::nullInputStream;

  /** What is shorter is read as ever, so that a digest that is wrong is seen to be so. */
  static final int LONG_BYTES = 64 << 10;

  private final AwsV4HttpSigner standard = AwsV4HttpSigner.create();

  @Override
  public SignedRequest sign(SignRequest<? extends AwsCredentialsIdentity> request) {
    Optional<String> checksum = request.request().firstMatchingHeader(CHECKSUM);
    Optional<ContentStreamProvider> body = request.payload();
    if (checksum.isEmpty() || body.isEmpty() || !isRead(request.request())) {
      return standard.sign(request);
    }
    return standard.sign(told(request, checksum.get())).toBuilder().payload(body.get()).build();
  }

  /** Whether the SDK would read a long body for it. */
  private static boolean isRead(SdkHttpRequest request) {
    boolean isEncrypted = request.protocol().equals("https");
    return !isEncrypted
        && request
            .firstMatchingHeader("Content-Length")
            .filter(length -> Long.parseLong(length) >= LONG_BYTES)
            .isPresent();
  }

  /** The signer puts the header back, from where it looks for digests that it made before. */
  private static <I extends AwsCredentialsIdentity> SignRequest<I> told(
      SignRequest<I> request, String checksum) {
    PayloadChecksumStore known = PayloadChecksumStore.create();
    known.putChecksumValue(DefaultChecksumAlgorithm.SHA256, Base64.getDecoder().decode(checksum));
    return request.toBuilder()
        .request(request.request().toBuilder().removeHeader(CHECKSUM).build())
        .payload(UNREAD)
        .putProperty(CHECKSUM_ALGORITHM, DefaultChecksumAlgorithm.SHA256)
        .putProperty(SdkInternalHttpSignerProperty.CHECKSUM_STORE, known)
        .build();
  }

  @Override
  public CompletableFuture<AsyncSignedRequest> signAsync(
      AsyncSignRequest<? extends AwsCredentialsIdentity> request) {
    return standard.signAsync(request);
  }

  /** How the SDK finds the signer. */
  record Scheme(S3Signer signer) implements AwsV4AuthScheme {
    @Override
    public String schemeId() {
      return SCHEME_ID;
    }

    @Override
    public IdentityProvider<AwsCredentialsIdentity> identityProvider(IdentityProviders providers) {
      return providers.identityProvider(AwsCredentialsIdentity.class);
    }
  }
}
