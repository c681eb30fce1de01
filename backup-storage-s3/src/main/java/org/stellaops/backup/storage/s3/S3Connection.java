package org.stellaops.backup.storage.s3;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.http.auth.spi.scheme.AuthSchemeOption;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.http.urlconnection.ProxyConfiguration;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.auth.scheme.S3AuthSchemeProvider;

/**
 * How a store comes by its client: by one that it is given, or by one of its own, made of nothing
 * but what the sink says. That one asks neither the environment nor files of the user's, except for
 * credentials where that was asked for.
 *
 * @param given null means one of its own
 * @param credentials null means none, or the default chain
 * @param isChainAsked credentials come from the SDK's default chain
 * @param clock whose time requests are signed with
 */
record S3Connection(
    @Nullable S3Client given,
    @Nullable AwsCredentialsProvider credentials,
    boolean isChainAsked,
    Clock clock) {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  /** A server that completes an upload of many parts may be silent for minutes. */
  private static final Duration SOCKET_TIMEOUT = Duration.ofMinutes(3);

  private static final Duration MAX_DELAY = Duration.ofSeconds(20);

  /** Bodies up to here a server reads, rather than ending the connection, when it refuses one. */
  private static final long UNASKED_BYTES = 128 << 10;

  /** Opens it. */
  Opened open(S3Location location, S3Pace pace, S3Gate gate) {
    if (given != null) {
      return new Opened(given, () -> {});
    }
    if (isChainAsked) {
      DefaultCredentialsProvider chain = DefaultCredentialsProvider.builder().build();
      S3Client client = client(location, pace, gate, chain);
      return new Opened(
          client,
          () -> {
            client.close();
            chain.close();
          });
    }
    if (credentials == null) {
      throw new IllegalStateException(
          "no credentials for %s: give them, or call defaultCredentials()"
              .formatted(location.describe()));
    }
    if (location.region() == null && location.endpoint() == null) {
      throw new IllegalStateException(
          "neither region nor endpoint for %s".formatted(location.describe()));
    }
    S3Client client = client(location, pace, gate, credentials);
    return new Opened(client, client::close);
  }

  private S3Client client(
      S3Location location, S3Pace pace, S3Gate gate, AwsCredentialsProvider provider) {
    S3ClientBuilder builder =
        S3Client.builder()
            .region(location.signingRegion())
            .credentialsProvider(provider)
            .forcePathStyle(location.isPathStyle())
            .crossRegionAccessEnabled(location.isRegionFollowed())
            .disableMultiRegionAccessPoints(true)
            .disableS3ExpressSessionAuth(true)
            .useArnRegion(false)
            .fipsEnabled(false)
            .dualstackEnabled(false)
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
            .serviceConfiguration(
                S3Configuration.builder()
                    .chunkedEncodingEnabled(false)
                    .expectContinueEnabled(true)
                    .expectContinueThresholdInBytes(UNASKED_BYTES)
                    .profileFile(NO_PROFILE)
                    .build())
            .authSchemeProvider(signingBy(clock))
            .putAuthScheme(new S3Signer.Scheme(new S3Signer()))
            .overrideConfiguration(behaviour(pace, gate))
            .httpClientBuilder(
                new S3Transport.Builder(
                    UrlConnectionHttpClient.builder()
                        .connectionTimeout(CONNECT_TIMEOUT)
                        .socketTimeout(SOCKET_TIMEOUT)
                        .proxyConfiguration(
                            ProxyConfiguration.builder()
                                .useSystemPropertyValues(false)
                                .useEnvironmentVariablesValues(false)
                                .build())));
    URI endpoint = location.knownEndpoint().orElse(null);
    if (endpoint != null) {
      builder.endpointOverride(endpoint);
    }
    return builder.build();
  }

  private static final ProfileFile NO_PROFILE = ProfileFile.aggregator().build();

  /** All trying again is done here, request by request, and by nobody around the store. */
  private static ClientOverrideConfiguration behaviour(S3Pace pace, S3Gate gate) {
    BackoffStrategy backoff =
        BackoffStrategy.exponentialDelayHalfJitter(pace.firstDelay(), MAX_DELAY);
    return ClientOverrideConfiguration.builder()
        .defaultProfileFile(NO_PROFILE)
        .retryStrategy(
            AwsRetryStrategy.standardRetryStrategy().toBuilder()
                .maxAttempts(pace.attempts())
                .backoffStrategy(backoff)
                // The SDK's own would remember an outage for as long as the client lives, and try
                // nothing again after it; how much is asked at once is the gate's to say.
                .circuitBreakerEnabled(false)
                .throttlingBackoffStrategy(
                    BackoffStrategy.exponentialDelayHalfJitter(
                        pace.firstDelay().multipliedBy(5), MAX_DELAY))
                .build())
        .addExecutionInterceptor(gate)
        .build();
  }

  /**
   * With a clock said, the SDK does not move it to the server's in silence: whose host is twenty
   * minutes off is to know it, since its snapshots would be dated so.
   */
  private static S3AuthSchemeProvider signingBy(Clock clock) {
    S3AuthSchemeProvider standard = S3AuthSchemeProvider.defaultProvider();
    return parameters -> {
      List<AuthSchemeOption> options = standard.resolveAuthScheme(parameters);
      return options.stream()
          .map(
              option ->
                  option.toBuilder().putSignerProperty(HttpSigner.SIGNING_CLOCK, clock).build())
          .toList();
    };
  }

  /**
   * A client and how to be done with it.
   *
   * @param closing of what this opened and nobody else
   */
  record Opened(S3Client client, Runnable closing) {}
}
