package org.stellaops.backup.postgres;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.postgresql.ds.PGSimpleDataSource;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.postgres.PostgresConnection.ChannelBinding;
import org.stellaops.backup.postgres.PostgresConnection.SslMode;

/** Reads what matters of a JDBC URL, with the driver's own parser. */
final class JdbcUrl {
  private static final Set<String> SECURITY_PREFIXES = Set.of("ssl", "gss", "socketfactory");
  private static final Set<String> UNDERSTOOD =
      Set.of("ssl", "sslmode", "sslrootcert", "sslcert", "sslkey");

  private JdbcUrl() {}

  static PostgresConnection read(String url, Supplier<Secret> password) {
    refuseUnknownSecurity(url);
    PGSimpleDataSource driver = new PGSimpleDataSource();
    try {
      driver.setURL(url);
    } catch (IllegalArgumentException e) {
      // Its own message repeats the URL.
      throw new IllegalArgumentException(
          "not a PostgreSQL JDBC URL such as jdbc:postgresql://host:5432/database", e.getCause());
    }
    String[] hosts = driver.getServerNames();
    int port = driver.getPortNumbers()[0];
    PostgresConnection.Builder builder =
        PostgresConnection.to(String.join(",", hosts))
            .password(password)
            .port(port == 0 ? PostgresConnection.DEFAULT_PORT : port)
            .sslMode(sslMode(driver));
    Optional.ofNullable(driver.getUser()).ifPresent(builder::user);
    Optional.ofNullable(driver.getDatabaseName()).ifPresent(builder::database);
    read(driver, "channelBinding").map(ChannelBinding::parse).ifPresent(builder::channelBinding);
    read(driver, "sslrootcert").map(Path::of).ifPresent(builder::sslRootCert);
    Optional<Path> certificate = read(driver, "sslcert").map(Path::of);
    Optional<Path> key = read(driver, "sslkey").map(Path::of);
    if (certificate.isPresent() != key.isPresent()) {
      throw new IllegalArgumentException("sslcert and sslkey are needed both, or neither");
    }
    certificate.ifPresent(file -> builder.sslCert(file, key.orElseThrow()));
    return builder.build();
  }

  /** What decides about security and is not understood here must not be dropped in silence. */
  private static void refuseUnknownSecurity(String url) {
    for (String parameter : url.substring(url.indexOf('?') + 1).split("&", -1)) {
      String name = parameter.substring(0, Math.max(0, parameter.indexOf('=')));
      String lower = name.toLowerCase(Locale.ROOT);
      if (lower.equals("password") || lower.equals("sslpassword")) {
        throw new IllegalArgumentException(
            "the JDBC URL holds a password; hint: give it as the second argument");
      }
      if (SECURITY_PREFIXES.stream().anyMatch(lower::startsWith) && !UNDERSTOOD.contains(name)) {
        throw new IllegalArgumentException("unsupported parameter in the JDBC URL: " + name);
      }
    }
  }

  /** As the driver reads it: {@code ssl=true} alone means verify-full. */
  private static SslMode sslMode(PGSimpleDataSource driver) {
    boolean isVerified =
        read(driver, "ssl").filter(v -> v.isEmpty() || Boolean.parseBoolean(v)).isPresent();
    return read(driver, "sslmode")
        .map(SslMode::parse)
        .orElse(isVerified ? SslMode.VERIFY_FULL : SslMode.PREFER);
  }

  private static Optional<String> read(PGSimpleDataSource driver, String property) {
    try {
      return Optional.ofNullable(driver.getProperty(property));
    } catch (SQLException e) {
      throw new AssertionError("the driver knows its own property " + property, e);
    }
  }
}
