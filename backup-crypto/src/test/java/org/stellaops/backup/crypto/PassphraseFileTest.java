package org.stellaops.backup.crypto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.Secret;

class PassphraseFileTest {
  @TempDir Path directory;

  @Test
  void one_line_end_is_taken_off_and_nothing_else() throws IOException {
    assertEquals("secret", read("secret"));
    assertEquals("secret", read("secret\n"));
    assertEquals("secret", read("secret\r\n"));
    assertEquals("secret\n", read("secret\n\n"));
    assertEquals(" sec ret\t", read(" sec ret\t\n"));
    assertEquals("pässword €😀", read("pässword €😀\n"));
    assertEquals("secret\r", read("secret\r"));
  }

  @Test
  void an_empty_passphrase_is_refused() throws IOException {
    for (String text : new String[] {"", "\n", "\r\n"}) {
      Path path = write("empty", text.getBytes(UTF_8), "rw-------");
      Failures.assertCrypto("STELLA-503", () -> PassphraseFile.read(path));
    }
  }

  @Test
  void what_is_no_utf8_or_too_long_is_refused() throws IOException {
    Path binary = write("binary", new byte[] {'a', (byte) 0xc3, '\n'}, "rw-------");
    Path large = write("large", new byte[4097], "rw-------");

    Failures.assertCrypto("STELLA-503", () -> PassphraseFile.read(binary));
    Failures.assertCrypto("STELLA-503", () -> PassphraseFile.read(large));
  }

  @Test
  void a_file_that_others_may_read_is_refused_unless_told_otherwise() throws IOException {
    Path path = write("exposed", "secret\n".getBytes(UTF_8), "rw-r--r--");

    Failures.assertCrypto("STELLA-504", () -> PassphraseFile.read(path));

    try (Secret secret = PassphraseFile.readEvenIfExposed(path)) {
      assertEquals("secret", secret.use(String::new));
    }
  }

  @Test
  void a_missing_file_is_reported() {
    Failures.assertCrypto("STELLA-502", () -> PassphraseFile.read(directory.resolve("nobody")));
    Failures.assertCrypto(
        "STELLA-502", () -> PassphraseFile.readEvenIfExposed(directory.resolve("nobody")));
  }

  private String read(String text) throws IOException {
    try (Secret secret = PassphraseFile.read(write("file", text.getBytes(UTF_8), "rw-------"))) {
      return secret.use(String::new);
    }
  }

  private Path write(String name, byte[] bytes, String mode) throws IOException {
    Path path = Files.write(directory.resolve(name), bytes);
    return Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
  }
}
