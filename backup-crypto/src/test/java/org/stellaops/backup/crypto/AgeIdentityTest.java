package org.stellaops.backup.crypto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.Secret;

class AgeIdentityTest {
  @TempDir Path directory;

  @Test
  void a_written_identity_file_is_read_again_and_has_mode_0600() throws IOException {
    Path path = directory.resolve("owner.txt");
    try (AgeIdentity identity = AgeIdentity.generate()) {
      identity.writeTo(path);

      assertEquals("rw-------", mode(path));
      try (AgeIdentity read = AgeIdentity.file(path)) {
        assertEquals(identity.recipient(), read.recipient());
      }
      String text = Files.readString(path);
      assertTrue(text.matches("# public key: age1[a-z0-9]{58}\nAGE-SECRET-KEY-1[A-Z0-9]{58}\n"));
    }
  }

  @Test
  void an_identity_file_is_never_overwritten() throws IOException {
    Path path = Files.writeString(directory.resolve("owner.txt"), "precious");
    try (AgeIdentity identity = AgeIdentity.generate()) {
      assertThrows(FileAlreadyExistsException.class, () -> identity.writeTo(path));
    }
    assertEquals("precious", Files.readString(path));
    try (var files = Files.list(directory)) {
      assertEquals(1, files.count(), "no temporary file is left");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-r-----", "rw----r--", "rw--w----", "rw-rw-rw-", "rw------x"})
  void a_file_that_others_may_touch_is_refused_unless_told_otherwise(String mode)
      throws IOException {
    Path path = directory.resolve("owner.txt");
    try (AgeIdentity identity = AgeIdentity.generate()) {
      identity.writeTo(path);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));

      var refusal = Failures.assertCrypto("STELLA-504", () -> AgeIdentity.file(path));

      assertTrue(refusal.getMessage().contains(mode), refusal.getMessage());
      try (AgeIdentity read = AgeIdentity.fileEvenIfExposed(path)) {
        assertEquals(identity.recipient(), read.recipient());
      }
    }
  }

  @Test
  void a_missing_file_is_reported_with_its_name() {
    Path path = directory.resolve("nobody.txt");

    var failure = Failures.assertCrypto("STELLA-502", () -> AgeIdentity.file(path));

    assertTrue(failure.getMessage().contains("nobody.txt: no such file"), failure.getMessage());
  }

  @Test
  void comments_empty_lines_and_windows_line_ends_are_passed_over() throws IOException {
    try (AgeIdentity one = AgeIdentity.generate();
        AgeIdentity two = AgeIdentity.generate()) {
      String text =
          "# created: 2026-01-01\r\n\r\n# mine\r\n%s\r\n\n# spare\n%s"
              .formatted(one.text().use(String::new), two.text().use(String::new));
      byte[] toTwo = AgeBytes.seal(Age.format(), new byte[] {7}, two.recipient());
      try (AgeIdentity both = AgeIdentity.parse(Secret.of(text))) {
        assertEquals(one.recipient(), both.recipient());
        assertArrayEquals(new byte[] {7}, AgeBytes.open(Age.format(), toTwo, both));
      }
    }
  }

  @Test
  void several_identities_are_written_and_read() throws IOException {
    Path path = directory.resolve("both.txt");
    try (AgeIdentity one = AgeIdentity.generate();
        AgeIdentity two = AgeIdentity.generate();
        AgeIdentity both =
            AgeIdentity.parse(
                Secret.of(
                    one.text().use(String::new) + "\n" + two.text().use(String::new) + "\n"))) {
      both.writeTo(path);
      byte[] toTwo = AgeBytes.seal(Age.format(), new byte[] {7}, two.recipient());
      try (AgeIdentity read = AgeIdentity.file(path)) {
        assertArrayEquals(new byte[] {7}, AgeBytes.open(Age.format(), toTwo, read));
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj|is a recipient",
        "AGE-PLUGIN-YUBIKEY-1QQQQQQQQ|plugin",
        "-----BEGIN OPENSSH PRIVATE KEY-----|SSH",
        "-----BEGIN AGE ENCRYPTED FILE-----|passphrase",
        "age-encryption.org/v1|passphrase",
        "AGE-SECRET-KEY-1QQQQ|too short",
        "AGE-SECRET-KEY-1QQQQQQQQQQQQ|checksum",
        "my password is swordfish|is no identity"
      })
  void what_is_no_identity_is_refused_with_its_line_and_without_its_text(String line, String says) {
    var refusal =
        Failures.assertCrypto(
            "STELLA-503", () -> AgeIdentity.parse(Secret.of("# comment\n" + line + "\n")));

    assertTrue(refusal.getMessage().contains("line 2"), refusal.getMessage());
    assertTrue(refusal.getMessage().contains(says), refusal.getMessage());
    assertFalse(refusal.getMessage().contains("swordfish"), refusal.getMessage());
  }

  @Test
  void a_mistyped_or_lower_case_identity_is_refused_and_not_repeated() throws IOException {
    String text = Age.format().newIdentity().use(String::new);
    char replaced = text.charAt(30) == 'Q' ? 'P' : 'Q';
    String mistyped = text.substring(0, 30) + replaced + text.substring(31);
    String mixed = text.substring(0, 40) + text.substring(40).toLowerCase(Locale.ROOT);
    for (String bad : new String[] {mistyped, mixed, text.toLowerCase(Locale.ROOT), text + " "}) {
      var refusal = Failures.assertCrypto("STELLA-503", () -> AgeIdentity.parse(Secret.of(bad)));

      assertFalse(
          refusal.getMessage().toUpperCase(Locale.ROOT).contains(text.substring(20, 29)),
          refusal.getMessage());
    }
  }

  @Test
  void a_file_without_an_identity_is_refused() {
    Failures.assertCrypto("STELLA-503", () -> AgeIdentity.parse(Secret.of("")));
    Failures.assertCrypto("STELLA-503", () -> AgeIdentity.parse(Secret.of("# only words\n")));
  }

  @Test
  void a_file_that_is_no_text_is_refused() throws IOException {
    Path path = Files.write(directory.resolve("binary"), new byte[] {(byte) 0xff, 0, 1});
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));

    Failures.assertCrypto("STELLA-503", () -> AgeIdentity.file(path));
  }

  @Test
  void a_file_of_more_than_a_mebibyte_is_refused() throws IOException {
    Path path = Files.write(directory.resolve("large"), new byte[1024 * 1024 + 1]);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));

    Failures.assertCrypto("STELLA-503", () -> AgeIdentity.file(path));
  }

  @Test
  void an_identity_file_under_a_passphrase_is_read_with_it_alone() throws IOException {
    Path path = directory.resolve("identity.age");
    try (AgeIdentity identity = AgeIdentity.generate()) {
      identity.writeTo(path, Secret.of("correct horse"));

      assertEquals("rw-------", mode(path));
      assertTrue(Files.readString(path).startsWith("-----BEGIN AGE ENCRYPTED FILE-----\n"));
      try (AgeIdentity read = AgeIdentity.file(path, Secret.of("correct horse"))) {
        assertEquals(identity.recipient(), read.recipient());
      }
      Failures.assertCrypto(
          "STELLA-501", () -> AgeIdentity.file(path, Secret.of("battery staple")));
      var hint = Failures.assertCrypto("STELLA-503", () -> AgeIdentity.file(path));
      assertTrue(hint.getMessage().contains("passphrase"), hint.getMessage());
    }
  }

  @Test
  void an_encrypted_file_that_holds_no_identity_is_refused() throws IOException {
    byte[] sealed =
        AgeBytes.seal(
            Age.format(), "hello".getBytes(UTF_8), AgeRecipient.passphrase(Secret.of("x"), 10));
    Path path = Files.write(directory.resolve("hello.age"), sealed);

    Failures.assertCrypto("STELLA-503", () -> AgeIdentity.file(path, Secret.of("x")));
  }

  @Test
  void the_format_makes_identities_and_knows_their_recipients() throws IOException {
    Secret secret = Age.format().newIdentity();
    byte[] stored =
        AgeBytes.seal(Age.format(), new byte[] {1, 2, 3}, Age.format().recipientOf(secret));

    try (AgeIdentity identity = Age.format().identity(secret)) {
      assertArrayEquals(new byte[] {1, 2, 3}, AgeBytes.open(Age.format(), stored, identity));
    }
  }

  @Test
  void a_closed_identity_opens_nothing() throws IOException {
    AgeIdentity identity = AgeIdentity.generate();
    byte[] stored = AgeBytes.seal(Age.format(), new byte[1], identity.recipient());
    identity.close();

    assertThrows(IllegalStateException.class, () -> AgeBytes.open(Age.format(), stored, identity));
  }

  @Test
  void a_passphrase_has_no_recipient_and_no_identity_file() {
    try (AgeIdentity identity = AgeIdentity.passphrase(Secret.of("x"))) {
      assertThrows(IllegalStateException.class, identity::recipient);
      assertThrows(IllegalStateException.class, () -> identity.writeTo(directory.resolve("x.txt")));
    }
  }

  @Test
  void nothing_prints_a_key() throws IOException {
    try (AgeIdentity identity = AgeIdentity.generate()) {
      assertEquals("AgeIdentity", identity.toString());
    }
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
