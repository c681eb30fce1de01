/** Buckets of AWS and of whatever speaks its protocol as stores of objects. */
@SuppressWarnings("module") // S3 is its name
module org.stellaops.backup.storage.s3 {
  requires transitive org.stellaops.backup.core;
  requires static transitive org.jspecify;
  requires java.xml;
  requires org.slf4j;
  requires transitive software.amazon.awssdk.auth; // a provider of credentials is taken as it is
  requires software.amazon.awssdk.awscore;
  requires software.amazon.awssdk.checksums;
  requires software.amazon.awssdk.core;
  requires software.amazon.awssdk.http;
  requires software.amazon.awssdk.http.auth.aws;
  requires software.amazon.awssdk.http.auth.spi;
  requires software.amazon.awssdk.http.urlconnection;
  requires software.amazon.awssdk.identity.spi;
  requires software.amazon.awssdk.profiles;
  requires software.amazon.awssdk.regions;
  requires software.amazon.awssdk.retries;
  requires software.amazon.awssdk.retries.api;
  requires transitive software.amazon.awssdk.services.s3; // so is a client
  requires software.amazon.awssdk.utils;

  exports org.stellaops.backup.storage.s3;

  provides org.stellaops.backup.spi.LocationProvider with
      org.stellaops.backup.storage.s3.S3LocationProvider;
}
