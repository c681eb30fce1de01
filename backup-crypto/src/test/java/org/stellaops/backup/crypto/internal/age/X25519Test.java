package org.stellaops.backup.crypto.internal.age;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Stanza;

class X25519Test {
  private static final HexFormat HEX = HexFormat.of();

  /** RFC 7748, section 5.2; the second point has its unused highest bit set. */
  @ParameterizedTest
  @CsvSource({
    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4,"
        + "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c,"
        + "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d,"
        + "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493,"
        + "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
  })
  void the_vectors_of_the_specification_hold(String secret, String point, String shared)
      throws Exception {
    assertEquals(shared, HEX.formatHex(X25519.agree(HEX.parseHex(secret), HEX.parseHex(point))));
  }

  @Test
  void both_sides_agree_on_one_secret() throws Exception {
    var random = new SecureRandom();
    for (int i = 0; i < 20; i++) {
      byte[] a = new byte[32];
      byte[] b = new byte[32];
      random.nextBytes(a);
      random.nextBytes(b);

      assertArrayEquals(X25519.agree(a, X25519.publicOf(b)), X25519.agree(b, X25519.publicOf(a)));
    }
  }

  @Test
  void a_stanza_with_a_point_of_low_order_is_refused() throws Exception {
    byte[] secret = new byte[32];
    new SecureRandom().nextBytes(secret);
    var stanza =
        new Stanza(
            "X25519",
            List.of(CanonicalBase64.encode(new byte[32])),
            CanonicalBase64.encode(new byte[32]));

    var refusal =
        assertThrows(
            BackupException.Corrupt.class,
            () -> X25519Wrap.open(stanza, secret, X25519.publicOf(secret)));

    assertTrue(refusal.getMessage().contains("low order"), refusal.getMessage());
  }

  @Test
  void a_file_key_is_unwrapped_by_its_recipient_alone() throws Exception {
    var random = new SecureRandom();
    byte[] mine = new byte[32];
    byte[] other = new byte[32];
    random.nextBytes(mine);
    random.nextBytes(other);
    FileKey key = FileKey.of(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});

    Stanza stanza = X25519Wrap.seal(key, X25519.publicOf(mine), random);

    FileKey found = X25519Wrap.open(stanza, mine, X25519.publicOf(mine)).orElseThrow();
    assertArrayEquals(key.use(byte[]::clone), found.use(byte[]::clone));
    assertEquals(Optional.empty(), X25519Wrap.open(stanza, other, X25519.publicOf(other)));
    assertEquals(
        Optional.empty(),
        X25519Wrap.open(
            new Stanza("x25519", stanza.arguments(), stanza.body()), mine, X25519.publicOf(mine)));
  }

  @Test
  void a_stanza_of_a_wrong_form_is_refused() throws Exception {
    byte[] secret = new byte[32];
    new SecureRandom().nextBytes(secret);
    byte[] recipient = X25519.publicOf(secret);
    String share = CanonicalBase64.encode(recipient);
    String body = CanonicalBase64.encode(new byte[32]);
    for (Stanza bad :
        List.of(
            new Stanza("X25519", List.of(), body),
            new Stanza("X25519", List.of(share, share), body),
            new Stanza("X25519", List.of(share.substring(2)), body),
            new Stanza("X25519", List.of(share + "="), body),
            new Stanza("X25519", List.of(share), CanonicalBase64.encode(new byte[31])),
            new Stanza("X25519", List.of(share), CanonicalBase64.encode(new byte[33])),
            new Stanza("X25519", List.of(share), ""))) {
      var refusal =
          assertThrows(
              BackupException.Corrupt.class,
              () -> X25519Wrap.open(bad, secret, recipient),
              bad.toString());
      assertEquals("STELLA-406", refusal.code().code());
    }
  }
}
