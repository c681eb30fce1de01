package org.stellaops.backup.postgres;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.Secret;

/**
 * How to reach one PostgreSQL server. Not a {@code DataSource}: a replication session needs a
 * socket of its own, and pools strip its start-up parameters. A value; connects to nothing by
 * itself.
 *
 * <pre>{@code
 * PostgresConnection.to("db.internal")
 *     .user("backup")
 *     .password(() -> vault.read("postgres/backup"))
 *     .sslMode(SslMode.VERIFY_FULL)
 *     .sslRootCert(Path.of("/etc/stellaops/postgres-ca.crt"))
 *     .build();
 * }</pre>
 */
public final class PostgresConnection {
  static final int DEFAULT_PORT = 5432;

  private final String host;
  private final @Nullable Path socketDirectory;
  private final int port;
  private final String database;
  private final String user;
  private final Supplier<Secret> password;
  private final SslMode sslMode;
  private final @Nullable Path sslRootCert;
  private final @Nullable Path sslCert;
  private final @Nullable Path sslKey;
  private final ChannelBinding channelBinding;

  private PostgresConnection(Builder builder, String user) {
    this.host = builder.host;
    this.socketDirectory = builder.socketDirectory;
    this.port = builder.port;
    this.database = builder.database;
    this.user = user;
    this.password = builder.password;
    this.sslMode = builder.socketDirectory == null ? builder.sslMode : SslMode.DISABLE;
    this.sslRootCert = builder.sslRootCert;
    this.sslCert = builder.sslCert;
    this.sslKey = builder.sslKey;
    this.channelBinding = builder.channelBinding;
  }

  /** Begins a connection to a host name or address, port 5432, database {@code postgres}. */
  public static Builder to(String host) {
    return new Builder(host);
  }

  /**
   * Begins a connection to a server on this machine by its Unix domain socket, {@code
   * .s.PGSQL.<port>}; it is never encrypted, for it leaves no machine.
   *
   * @param socketDirectory the server's {@code unix_socket_directories}
   */
  public static Builder onSocket(Path socketDirectory) {
    Builder builder = new Builder("localhost");
    builder.socketDirectory = socketDirectory.toAbsolutePath();
    return builder;
  }

  /**
   * The server that a JDBC URL names. Of its parameters {@code user}, {@code ssl}, {@code sslmode},
   * {@code sslrootcert}, {@code sslcert}, {@code sslkey} and {@code channelBinding} count; another
   * one that decides how the connection is secured is refused, the rest has no meaning for a
   * replication session.
   *
   * @param password see {@link Builder#password}
   * @throws IllegalArgumentException if it is no PostgreSQL URL, names several hosts, holds a
   *     password, or lacks a user
   */
  public static PostgresConnection parse(String jdbcUrl, Supplier<Secret> password) {
    return JdbcUrl.read(jdbcUrl, password);
  }

  /** Host name or address. */
  public String host() {
    return host;
  }

  /** Where the server's Unix domain socket is; empty: it is reached over TCP. */
  public Optional<Path> socketDirectory() {
    return Optional.ofNullable(socketDirectory);
  }

  /** The server's Unix domain socket; empty: it is reached over TCP. */
  public Optional<Path> socketFile() {
    return socketDirectory().map(directory -> directory.resolve(".s.PGSQL." + port));
  }

  /** TCP port; it is part of a Unix domain socket's name, too. */
  public int port() {
    return port;
  }

  /** The database for preflight checks; a physical backup always holds all databases. */
  public String database() {
    return database;
  }

  /** Role that logs in. */
  public String user() {
    return user;
  }

  /** Where the password comes from. */
  public Supplier<Secret> password() {
    return password;
  }

  /** How the connection is encrypted. */
  public SslMode sslMode() {
    return sslMode;
  }

  /** PEM file of the authorities that are trusted; empty: {@code ~/.postgresql/root.crt}. */
  public Optional<Path> sslRootCert() {
    return Optional.ofNullable(sslRootCert);
  }

  /** PEM file of the client's own certificate. */
  public Optional<Path> sslCert() {
    return Optional.ofNullable(sslCert);
  }

  /** Private key of {@link #sslCert}, PKCS#8 in DER, or PKCS#12. */
  public Optional<Path> sslKey() {
    return Optional.ofNullable(sslKey);
  }

  /** Whether the password exchange is tied to the TLS connection. */
  public ChannelBinding channelBinding() {
    return channelBinding;
  }

  @Override
  public String toString() {
    String place = socketDirectory == null ? host : "[" + socketDirectory + "]";
    return "postgresql://%s@%s:%d/%s?sslmode=%s"
        .formatted(user, place, port, database, sslMode.text());
  }

  /** The same server and role, and another database. */
  PostgresConnection in(String other) {
    Builder builder = new Builder(host);
    builder.socketDirectory = socketDirectory;
    builder.port = port;
    builder.database = other;
    builder.user = user;
    builder.password = password;
    builder.sslMode = sslMode;
    builder.sslRootCert = sslRootCert;
    builder.sslCert = sslCert;
    builder.sslKey = sslKey;
    builder.channelBinding = channelBinding;
    return builder.build();
  }

  /** How a connection is encrypted: libpq's {@code sslmode}. */
  public enum SslMode {
    /** Never. */
    DISABLE,
    /** If the server can; protects from nobody who can intercept. */
    PREFER,
    /** Always, without looking at the certificate. */
    REQUIRE,
    /** Always, with a certificate of a trusted authority. */
    VERIFY_CA,
    /** Always, with a certificate of a trusted authority for this host. */
    VERIFY_FULL;

    /** As the driver and libpq write it: {@code verify-full}. */
    public String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static SslMode parse(String text) {
      return Arrays.stream(values())
          .filter(mode -> mode.text().equals(text))
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("unsupported sslmode: " + text));
    }
  }

  /** Whether SCRAM is tied to the TLS connection: libpq's {@code channel_binding}. */
  public enum ChannelBinding {
    /** Not at all. */
    DISABLE,
    /** If both sides can. */
    PREFER,
    /** Or no login. */
    REQUIRE;

    /** As the driver and libpq write it: {@code require}. */
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    static ChannelBinding parse(String text) {
      return Arrays.stream(values())
          .filter(binding -> binding.text().equals(text))
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("unsupported channelBinding: " + text));
    }
  }

  /** Collects what differs from the defaults. Not thread-safe. */
  public static final class Builder {
    private final String host;
    private @Nullable Path socketDirectory;
    private int port = DEFAULT_PORT;
    private String database = "postgres";
    private @Nullable String user;
    private Supplier<Secret> password = () -> Secret.of("");
    private SslMode sslMode = SslMode.PREFER;
    private @Nullable Path sslRootCert;
    private @Nullable Path sslCert;
    private @Nullable Path sslKey;
    private ChannelBinding channelBinding = ChannelBinding.PREFER;

    private Builder(String host) {
      if (host.isBlank() || host.indexOf(',') >= 0) {
        throw new IllegalArgumentException("exactly one host is needed, found: '" + host + "'");
      }
      boolean isBracketed = host.startsWith("[") && host.endsWith("]");
      this.host = isBracketed ? host.substring(1, host.length() - 1) : host;
    }

    /** TCP port, 1 to 65535. */
    public Builder port(int port) {
      if (port < 1 || port > 65_535) {
        throw new IllegalArgumentException("not a TCP port: " + port);
      }
      this.port = port;
      return this;
    }

    /** The database for preflight checks. */
    public Builder database(String database) {
      this.database = database;
      return this;
    }

    /** Role that logs in; it needs the REPLICATION right. */
    public Builder user(String user) {
      this.user = user;
      return this;
    }

    /**
     * Where the password comes from: asked at every login, on the thread that captures. What it
     * returns stays the supplier's and is not closed here; an empty secret means no password.
     */
    public Builder password(Supplier<Secret> password) {
      this.password = password;
      return this;
    }

    /** How the connection is encrypted; {@link SslMode#PREFER} unless said. */
    public Builder sslMode(SslMode mode) {
      this.sslMode = mode;
      return this;
    }

    /** PEM file of the authorities that are trusted. */
    public Builder sslRootCert(Path file) {
      this.sslRootCert = file;
      return this;
    }

    /**
     * The client's own certificate.
     *
     * @param certificate PEM
     * @param key PKCS#8 in DER, or PKCS#12
     */
    public Builder sslCert(Path certificate, Path key) {
      this.sslCert = certificate;
      this.sslKey = key;
      return this;
    }

    /** Whether SCRAM is tied to the TLS connection; {@link ChannelBinding#PREFER} unless said. */
    public Builder channelBinding(ChannelBinding binding) {
      this.channelBinding = binding;
      return this;
    }

    /**
     * The connection.
     *
     * @throws IllegalArgumentException if there is no user
     */
    public PostgresConnection build() {
      String who = user;
      if (who == null || who.isEmpty()) {
        throw new IllegalArgumentException("a connection to " + host + " needs a user");
      }
      return new PostgresConnection(this, who);
    }
  }
}
