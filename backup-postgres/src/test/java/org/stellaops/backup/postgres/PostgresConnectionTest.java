package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.postgres.PostgresConnection.ChannelBinding;
import org.stellaops.backup.postgres.PostgresConnection.SslMode;

class PostgresConnectionTest {
  @Test
  void a_jdbc_url_is_read_with_all_that_secures_it() {
    PostgresConnection connection =
        parse(
            "jdbc:postgresql://db.example:6543/my%20app?user=backup&sslmode=verify-ca"
                + "&sslrootcert=/etc/ca.crt&channelBinding=require&ApplicationName=x");

    assertEquals("db.example", connection.host());
    assertEquals(6543, connection.port());
    assertEquals("my app", connection.database());
    assertEquals("backup", connection.user());
    assertEquals(SslMode.VERIFY_CA, connection.sslMode());
    assertEquals(Optional.of(Path.of("/etc/ca.crt")), connection.sslRootCert());
    assertEquals(ChannelBinding.REQUIRE, connection.channelBinding());
  }

  @Test
  void ssl_true_alone_means_verify_full() {
    assertEquals(SslMode.VERIFY_FULL, parse("jdbc:postgresql://h/d?user=u&ssl=true").sslMode());
  }

  @Test
  void what_is_not_said_has_the_drivers_defaults() {
    PostgresConnection connection = parse("jdbc:postgresql://h/d?user=u");

    assertEquals(5432, connection.port());
    assertEquals(SslMode.PREFER, connection.sslMode());
    assertEquals(Optional.empty(), connection.sslRootCert());
  }

  @Test
  void an_ipv6_address_is_a_host() {
    assertEquals("::1", parse("jdbc:postgresql://[::1]:5433/d?user=u").host());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jdbc:mysql://h/d?user=u",
        "postgresql://h/d",
        "jdbc:postgresql://h1,h2/d?user=u",
        "jdbc:postgresql://h/d?user=u&password=hunter2",
        "jdbc:postgresql://h/d?user=u&sslfactory=org.postgresql.ssl.NonValidatingFactory",
        "jdbc:postgresql://h/d?user=u&socketFactory=x",
        "jdbc:postgresql://h/d?user=u&sslmode=allow"
      })
  void what_cannot_be_honoured_is_refused(String url) {
    var e = assertThrows(IllegalArgumentException.class, () -> parse(url));

    assertFalse(e.toString().contains("hunter2"), e.toString());
  }

  @Test
  void the_text_of_a_connection_holds_no_password() {
    PostgresConnection connection =
        PostgresConnection.to("h").user("u").password(() -> Secret.of("hunter2")).build();

    assertEquals("postgresql://u@h:5432/postgres?sslmode=prefer", connection.toString());
  }

  @Test
  void a_unix_socket_is_named_by_its_directory_and_port_and_never_encrypted() {
    PostgresConnection connection =
        PostgresConnection.onSocket(Path.of("/run/postgresql"))
            .port(5433)
            .user("u")
            .sslMode(SslMode.REQUIRE)
            .build();

    assertEquals(Optional.of(Path.of("/run/postgresql/.s.PGSQL.5433")), connection.socketFile());
    assertEquals(
        "postgresql://u@[/run/postgresql]:5433/postgres?sslmode=disable", connection.toString());
  }

  @Test
  void a_connection_needs_a_user() {
    assertThrows(IllegalArgumentException.class, () -> PostgresConnection.to("h").build());
  }

  private static PostgresConnection parse(String url) {
    return PostgresConnection.parse(url, () -> Secret.of("hunter2"));
  }
}
