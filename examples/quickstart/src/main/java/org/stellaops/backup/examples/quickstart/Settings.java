package org.stellaops.backup.examples.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** The configuration of a service: a YAML file, and its secret in a {@code .env}. */
final class Settings {
  static final String CONFIGURATION = "issuer-directory.yaml";
  static final String SECRET = "ISSUER_DIRECTORY_MONGO_CONNECTION_STRING";

  private Settings() {}

  static void make(Place place) throws IOException {
    Files.createDirectories(place.etc());
    Files.writeString(place.configuration(), configuration(2));
    Files.createFile(
        place.secrets(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(
        place.secrets(), SECRET + "='mongodb://issuer:pa$$word@db.internal/issuer-directory'\n");
  }

  static void change(Path configuration) throws IOException {
    Files.writeString(configuration, configuration(4));
  }

  private static String configuration(int workers) {
    return """
    issuerDirectory:
      mongo:
        database: issuer-directory
      seedCsafPublishers: true
      workers: %d
    """
        .formatted(workers);
  }
}
