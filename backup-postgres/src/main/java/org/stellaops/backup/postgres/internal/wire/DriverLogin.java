package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.plugin.AuthenticationPlugin;
import org.postgresql.plugin.AuthenticationRequestType;
import org.postgresql.ssl.LibPQFactory;
import org.postgresql.util.PSQLException;
import org.stellaops.backup.postgres.PostgresConnection;

/**
 * One login by the driver, whose socket is kept. The driver does what is hard to do well: TLS,
 * SCRAM, channel binding. It cannot read a base backup (its COPY wants one result, BASE_BACKUP
 * sends three), so afterwards the protocol is spoken on the same socket by {@link Wire}.
 *
 * <p>The driver makes the three hooks below by name and hands them nothing but a string. That
 * string is a random id in {@link #RUNNING}, where a login stands only while the driver works on
 * it: the one piece of static state in this module.
 */
public final class DriverLogin {
  private static final Map<String, DriverLogin> RUNNING = new ConcurrentHashMap<>();

  /** Longest silence of a server while it logs us in. */
  private static final String LOGIN_SILENCE_SECONDS = "60";

  private static final String CONNECT_SECONDS = "15";

  private static final String SOCKET_FACTORY_ARG = "socketFactoryArg";

  /** Under which the server lists a session, unless said. */
  static final String APPLICATION = "stella-backup";

  private final PostgresConnection to;
  private final String application;
  private @Nullable Socket plain;
  private @Nullable Socket secured;
  private boolean isAborted;

  DriverLogin(PostgresConnection to) {
    this(to, APPLICATION);
  }

  /**
   * @param application under which the server lists the session
   */
  DriverLogin(PostgresConnection to, String application) {
    this.to = to;
    this.application = application;
  }

  /** Logs in for replication: a WAL sender serves the connection, which knows no SQL. */
  Connection forReplication() throws SQLException {
    return login(
        Map.of(
            "replication",
            "true",
            "preferQueryMode",
            "simple",
            // Keeps the driver from asking for settings that a WAL sender refuses to change.
            "assumeMinServerVersion",
            "10"));
  }

  /** Logs in for SQL. */
  Connection forQueries() throws SQLException {
    return login(Map.of());
  }

  /** Ends the login, or the connection that came of it. From any thread. */
  synchronized void abort() {
    isAborted = true;
    // The socket below TLS: closing the upper one would wait for whoever reads from it.
    closeQuietly(plain);
  }

  /** The socket to speak on: secured where the server and the connection want it. */
  synchronized Socket socket() throws IOException {
    Socket upper = secured == null ? plain : secured;
    if (upper == null) {
      throw new IOException("the driver made no socket");
    }
    return upper;
  }

  private Connection login(Map<String, String> purpose) throws SQLException {
    String id = UUID.randomUUID().toString();
    PGSimpleDataSource driver = new PGSimpleDataSource();
    boolean isIpv6 = to.host().indexOf(':') >= 0;
    driver.setServerNames(new String[] {isIpv6 ? "[" + to.host() + "]" : to.host()});
    driver.setPortNumbers(new int[] {to.port()});
    driver.setDatabaseName(to.database());
    for (Map<String, String> some : List.of(common(id), security(), purpose)) {
      for (Map.Entry<String, String> property : some.entrySet()) {
        driver.setProperty(property.getKey(), property.getValue());
      }
    }
    RUNNING.put(id, this);
    try {
      return driver.getConnection();
    } finally {
      RUNNING.remove(id);
    }
  }

  private Map<String, String> common(String id) {
    return Map.of(
        "user",
        to.user(),
        "ApplicationName",
        application,
        "socketFactory",
        Sockets.class.getName(),
        SOCKET_FACTORY_ARG,
        id,
        "authenticationPluginClassName",
        Password.class.getName(),
        "connectTimeout",
        CONNECT_SECONDS,
        "socketTimeout",
        LOGIN_SILENCE_SECONDS,
        "tcpKeepAlive",
        "true");
  }

  private Map<String, String> security() {
    Map<String, String> properties = new HashMap<>();
    properties.put("gssEncMode", "disable");
    properties.put("sslmode", to.sslMode().text());
    properties.put("channelBinding", to.channelBinding().text());
    if (to.sslMode() != PostgresConnection.SslMode.DISABLE) {
      properties.put("sslfactory", SecuredSockets.class.getName());
    }
    to.sslRootCert().ifPresent(file -> properties.put("sslrootcert", file.toString()));
    to.sslCert().ifPresent(file -> properties.put("sslcert", file.toString()));
    to.sslKey().ifPresent(file -> properties.put("sslkey", file.toString()));
    return properties;
  }

  /** The driver may try again without TLS: the last socket it made is the one that counts. */
  private synchronized Socket open() throws IOException {
    if (isAborted) {
      throw new SocketException("the login was stopped");
    }
    Socket made =
        to.socketFile().isPresent() ? new UnixSocket(to.socketFile().get()) : new Socket();
    plain = made;
    secured = null;
    return made;
  }

  private synchronized Socket secured(Socket made) {
    secured = made;
    return made;
  }

  private static DriverLogin running(@Nullable String id) {
    DriverLogin login = id == null ? null : RUNNING.get(id);
    if (login == null) {
      throw new IllegalStateException("no login of this id is running");
    }
    return login;
  }

  private static void closeQuietly(@Nullable Socket socket) {
    if (socket != null) {
      try {
        socket.close();
      } catch (IOException alreadyGone) {
        // What matters is that nobody reads from it any more.
      }
    }
  }

  /** Made by the driver: the sockets it connects. */
  public static final class Sockets extends SocketFactory {
    private final DriverLogin login;

    /** With the id of a running login. */
    public Sockets(String id) {
      this.login = running(id);
    }

    @Override
    public Socket createSocket() throws IOException {
      return login.open();
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
      throw connectsItself();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress from, int fromPort)
        throws IOException {
      throw connectsItself();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
      throw connectsItself();
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress from, int fromPort)
        throws IOException {
      throw connectsItself();
    }

    private static SocketException connectsItself() {
      return new SocketException("the driver is expected to connect sockets by itself");
    }
  }

  /** Made by the driver: libpq's TLS rules, with the socket kept. */
  public static final class SecuredSockets extends LibPQFactory {
    private final DriverLogin login;

    /** With the properties of a running login. */
    public SecuredSockets(Properties properties) throws PSQLException {
      super(properties);
      this.login = running(properties.getProperty(SOCKET_FACTORY_ARG));
    }

    @Override
    public Socket createSocket(Socket below, String host, int port, boolean closesBelow)
        throws IOException {
      return login.secured(super.createSocket(below, host, port, closesBelow));
    }
  }

  /** Made by the driver: the password, which so never becomes a string. */
  public static final class Password implements AuthenticationPlugin {
    private final DriverLogin login;

    /** With the properties of a running login. */
    public Password(Properties properties) {
      this.login = running(properties.getProperty(SOCKET_FACTORY_ARG));
    }

    /** A copy that the driver wipes; null, which the driver explains, where there is none. */
    @Override
    @SuppressWarnings("NullAway") // The driver's contract: null means no password.
    public char[] getPassword(AuthenticationRequestType type) {
      return login.to.password().get().use(c -> c.length == 0 ? null : c.clone());
    }
  }
}
