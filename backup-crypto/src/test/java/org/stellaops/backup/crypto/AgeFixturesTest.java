package org.stellaops.backup.crypto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Secret;

/** Files that age 1.1.1 wrote stay readable, and a post-quantum one of age 1.3.1. */
class AgeFixturesTest {
  private static final String PASSPHRASE = "correct horse battery staple";

  @Test
  void a_file_of_two_segments_is_read() throws Exception {
    byte[] expected = new byte[65537];
    for (long i = 0; i < expected.length; i++) {
      expected[(int) i] = (byte) (i * i % 251);
    }
    try (AgeIdentity identity = AgeIdentity.fileEvenIfExposed(path("identity.txt"))) {
      assertArrayEquals(expected, AgeBytes.open(Age.format(), bytes("x25519.age"), identity));
      assertArrayEquals(
          expected, AgeBytes.openAtRandom(Age.format(), bytes("x25519.age"), identity));
    }
  }

  @Test
  void an_empty_file_is_read() throws Exception {
    try (AgeIdentity identity = AgeIdentity.fileEvenIfExposed(path("identity.txt"))) {
      assertEquals(0, AgeBytes.open(Age.format(), bytes("empty.age"), identity).length);
    }
  }

  @Test
  void an_armored_file_is_read() throws Exception {
    try (AgeIdentity identity = AgeIdentity.fileEvenIfExposed(path("identity.txt"))) {
      byte[] plain = AgeBytes.open(Age.format(), bytes("armored.age"), identity);
      assertEquals("hello, armor\n", new String(plain, UTF_8));
    }
  }

  @Test
  void a_file_under_a_passphrase_is_read() throws Exception {
    try (AgeIdentity identity = AgeIdentity.passphrase(Secret.of(PASSPHRASE))) {
      byte[] plain = AgeBytes.open(Age.format(), bytes("passphrase.age"), identity);
      assertEquals("hello, passphrase\n", new String(plain, UTF_8));
    }
  }

  @Test
  void a_file_for_a_post_quantum_recipient_is_read() throws Exception {
    try (AgeIdentity identity = AgeIdentity.fileEvenIfExposed(path("post-quantum.txt"))) {
      byte[] plain = AgeBytes.open(Age.format(), bytes("post-quantum.age"), identity);
      assertEquals("hello, hybrid\n", new String(plain, UTF_8));
    }
  }

  @Test
  void an_identity_file_under_a_passphrase_is_read() throws Exception {
    try (AgeIdentity locked = AgeIdentity.file(path("identity.age"), Secret.of(PASSPHRASE));
        AgeIdentity plain = AgeIdentity.fileEvenIfExposed(path("identity.txt"))) {
      assertEquals(plain.recipient(), locked.recipient());
    }
  }

  private static byte[] bytes(String name) throws IOException {
    try (InputStream fixture =
        Objects.requireNonNull(
            AgeFixturesTest.class.getResourceAsStream("/age/v1/" + name), name)) {
      return fixture.readAllBytes();
    }
  }

  private static Path path(String name) throws URISyntaxException {
    return Path.of(
        Objects.requireNonNull(AgeFixturesTest.class.getResource("/age/v1/" + name)).toURI());
  }
}
