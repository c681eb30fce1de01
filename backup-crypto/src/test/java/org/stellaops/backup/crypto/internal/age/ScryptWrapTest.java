package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.crypto.generators.SCrypt;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Stanza;

class ScryptWrapTest {
  private static final byte[] PASSPHRASE = "correct horse".getBytes(UTF_8);
  private static final String SALT = CanonicalBase64.encode(new byte[16]);
  private static final String BODY = CanonicalBase64.encode(new byte[32]);

  /** RFC 7914, section 12, third vector. */
  @Test
  void the_vector_of_the_specification_holds() {
    byte[] derived =
        SCrypt.generate(
            "pleaseletmein".getBytes(UTF_8), "SodiumChloride".getBytes(UTF_8), 16384, 8, 1, 64);

    assertEquals(
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
            + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
        HexFormat.of().formatHex(derived));
  }

  @Test
  void a_file_key_is_unwrapped_with_the_passphrase_alone() throws IOException {
    FileKey key = FileKey.of(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});

    Stanza stanza = ScryptWrap.seal(key, PASSPHRASE, 10, new SecureRandom());

    assertEquals("10", stanza.arguments().get(1));
    assertArrayEquals(
        key.use(byte[]::clone),
        ScryptWrap.open(stanza, PASSPHRASE).orElseThrow().use(byte[]::clone));
    var refusal =
        assertThrows(
            BackupException.Crypto.class,
            () -> ScryptWrap.open(stanza, "Correct horse".getBytes(UTF_8)));
    assertEquals("STELLA-501", refusal.code().code());
  }

  @Test
  void a_stanza_of_another_type_is_passed_over() throws IOException {
    assertEquals(
        Optional.empty(), ScryptWrap.open(new Stanza("X25519", List.of(), ""), PASSPHRASE));
  }

  @Test
  void a_work_factor_above_22_is_refused_before_it_is_computed() {
    for (String factor : List.of("23", "30", "63", "99", "1000")) {
      refused(new Stanza("scrypt", List.of(SALT, factor), BODY));
    }
  }

  @Test
  void a_work_factor_that_needs_more_memory_than_there_is_is_refused() {
    assertTrue(Runtime.getRuntime().maxMemory() < 4L << 30, "tests run with a small heap");

    var refusal =
        assertThrows(
            BackupException.Crypto.class,
            () -> ScryptWrap.open(new Stanza("scrypt", List.of(SALT, "22"), BODY), PASSPHRASE));

    assertEquals("STELLA-502", refusal.code().code());
    assertTrue(refusal.getMessage().contains("4096 MiB"), refusal.getMessage());
  }

  @Test
  void a_stanza_of_a_wrong_form_is_refused() {
    for (Stanza bad :
        List.of(
            new Stanza("scrypt", List.of(), BODY),
            new Stanza("scrypt", List.of(SALT), BODY),
            new Stanza("scrypt", List.of(SALT, "10", "1"), BODY),
            new Stanza("scrypt", List.of(SALT, "0"), BODY),
            new Stanza("scrypt", List.of(SALT, "010"), BODY),
            new Stanza("scrypt", List.of(SALT, "+10"), BODY),
            new Stanza("scrypt", List.of(SALT, "-1"), BODY),
            new Stanza("scrypt", List.of(SALT, "ten"), BODY),
            new Stanza("scrypt", List.of(SALT, "99999999999"), BODY),
            new Stanza("scrypt", List.of(SALT.substring(4), "10"), BODY),
            new Stanza("scrypt", List.of(SALT + "==", "10"), BODY),
            new Stanza("scrypt", List.of(SALT, "10"), CanonicalBase64.encode(new byte[31])),
            new Stanza("scrypt", List.of(SALT, "10"), ""))) {
      refused(bad);
    }
  }

  private static void refused(Stanza bad) {
    var refusal =
        assertThrows(
            BackupException.Corrupt.class, () -> ScryptWrap.open(bad, PASSPHRASE), bad.toString());
    assertEquals("STELLA-406", refusal.code().code());
  }
}
