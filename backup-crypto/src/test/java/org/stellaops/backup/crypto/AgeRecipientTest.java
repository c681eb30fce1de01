package org.stellaops.backup.crypto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.crypto.internal.age.Bech32;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;
import org.stellaops.backup.spi.Stanza;

class AgeRecipientTest {
  private static final String KEY =
      "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

  @Test
  void a_recipient_is_written_as_it_was_read() {
    assertEquals(KEY, AgeRecipient.parse(KEY).text());
    assertEquals(KEY, AgeRecipient.parse(KEY).toString());
    assertEquals(AgeRecipient.parse(KEY), AgeRecipient.parse(KEY));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ops@stella-ops.org|e-mail address",
        "Ops Team <ops@stella-ops.org>|e-mail address",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ|SSH keys are not supported",
        "ssh-rsa AAAAB3NzaC1yc2E user@host|SSH keys are not supported",
        "age1yubikey1qwertyuiopasdfghjkl|plugins",
        "AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ|does not begin with age1",
        "0xDEADBEEF|does not begin with age1"
      })
  void what_is_no_recipient_is_refused_with_what_it_seems_to_be(String text, String says) {
    var refusal = assertThrows(IllegalArgumentException.class, () -> AgeRecipient.parse(text));

    assertTrue(refusal.getMessage().contains(says), refusal.getMessage());
  }

  @Test
  void an_e_mail_address_is_answered_with_what_age_takes() {
    var refusal =
        Failures.assertCrypto(
            "STELLA-503", () -> Age.format().recipient("issuer-backup@stella-ops.org"));

    assertTrue(refusal.getMessage().contains("age1"), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("age-keygen"), refusal.getMessage());
  }

  @Test
  void a_private_key_is_refused_and_not_repeated() throws IOException {
    Secret secret = Age.format().newIdentity();
    String text = secret.use(String::new);
    for (String given : List.of(text, text.toLowerCase(Locale.ROOT), "x " + text)) {
      var refusal = assertThrows(IllegalArgumentException.class, () -> AgeRecipient.parse(given));

      assertTrue(refusal.getMessage().contains("private key"), refusal.getMessage());
      assertFalse(refusal.getMessage().contains(text.substring(20, 30)), refusal.getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "age1",
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujw",
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk",
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj ",
        " age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "age1Zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "age1bvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
      })
  void a_mistyped_recipient_is_refused(String text) {
    assertThrows(IllegalArgumentException.class, () -> AgeRecipient.parse(text));
  }

  @Test
  void a_recipient_of_another_length_is_refused() {
    String text = new String(Bech32.encode("age", new byte[31]));

    assertThrows(IllegalArgumentException.class, () -> AgeRecipient.parse(text));
  }

  /** The points of order 1, 2, 4 and 8 (RFC 7748, section 6.1; cr.yp.to/ecdh.html). */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
      })
  void a_point_of_low_order_is_refused(String point) {
    String text = new String(Bech32.encode("age", HexFormat.of().parseHex(point)));

    var refusal = assertThrows(IllegalArgumentException.class, () -> AgeRecipient.parse(text));

    assertTrue(refusal.getMessage().contains("low order"), refusal.getMessage());
  }

  @Test
  void a_passphrase_stands_alone() throws IOException {
    AgeRecipient passphrase = AgeRecipient.passphrase(Secret.of("one"), 10);
    AgeRecipient other = AgeRecipient.passphrase(Secret.of("two"), 10);

    refusedTogether(passphrase, AgeRecipient.parse(KEY));
    refusedTogether(AgeRecipient.parse(KEY), passphrase);
    refusedTogether(passphrase, other);
    refusedTogether(passphrase, passphrase);
    assertNotEquals(passphrase, other);
  }

  @Test
  void a_passphrase_outlives_the_secret_it_was_given_in() throws IOException {
    Secret secret = Secret.of("pässword €😀");
    AgeRecipient recipient = AgeRecipient.passphrase(secret, 10);
    secret.close();

    byte[] stored = AgeBytes.seal(Age.format(), new byte[] {1, 2}, recipient);

    try (AgeIdentity identity = AgeIdentity.passphrase(Secret.of("pässword €😀"))) {
      assertEquals(2, AgeBytes.open(Age.format(), stored, identity).length);
    }
  }

  @Test
  void an_empty_or_closed_passphrase_is_refused() {
    Secret closed = Secret.of("secret");
    closed.close();

    assertThrows(IllegalArgumentException.class, () -> AgeRecipient.passphrase(Secret.of("")));
    assertThrows(IllegalArgumentException.class, () -> AgeRecipient.passphrase(closed));
    assertThrows(IllegalArgumentException.class, () -> AgeIdentity.passphrase(Secret.of("")));
    assertThrows(IllegalArgumentException.class, () -> AgeIdentity.passphrase(closed));
  }

  @Test
  void nothing_is_sealed_to_nobody() {
    Failures.assertCrypto("STELLA-503", () -> AgeBytes.seal(Age.format(), new byte[1]));
  }

  @Test
  void a_recipient_of_ones_own_is_asked_for_its_stanza() throws IOException {
    var stored = new ByteArrayOutputStream();
    var own = new OwnRecipient("kms", List.of("key-1"), "QUJD");
    try (var sealing = Age.format().seal(stored, List.of(own, AgeRecipient.parse(KEY)))) {
      sealing.finish();
    }

    assertTrue(stored.toString().contains("\n-> kms key-1\nQUJD\n-> X25519 "));
  }

  @Test
  void a_stanza_that_cannot_be_written_is_refused() {
    for (Recipient bad :
        List.of(
            new OwnRecipient("kms", List.of("two words"), "QUJD"),
            new OwnRecipient("", List.of(), "QUJD"),
            new OwnRecipient("kms", List.of("line\nend"), "QUJD"),
            new OwnRecipient("kms", List.of(), "QUJD="),
            new OwnRecipient("kms", List.of(), "QUJ"),
            new OwnRecipient("kms", List.of(), "---"))) {
      Failures.assertCrypto("STELLA-503", () -> AgeBytes.seal(Age.format(), new byte[1], bad));
    }
  }

  @Test
  void a_fingerprint_tells_recipients_apart_and_no_passphrase() throws IOException {
    try (FileKey by = FileKey.of(new byte[32]);
        FileKey other = FileKey.of(new byte[] {1});
        AgeIdentity owner = AgeIdentity.generate()) {
      String one = AgeRecipient.passphrase(Secret.of("one")).fingerprint(by);
      assertEquals(one, AgeRecipient.passphrase(Secret.of("one")).fingerprint(by));
      assertNotEquals(one, AgeRecipient.passphrase(Secret.of("two")).fingerprint(by));
      assertNotEquals(one, AgeRecipient.passphrase(Secret.of("one")).fingerprint(other));
      assertTrue(one.matches("passphrase [0-9a-f]{64}"), one);
      assertEquals(owner.recipient().text(), owner.recipient().fingerprint(by));
    }
  }

  private static void refusedTogether(Recipient... recipients) {
    var refusal =
        Failures.assertCrypto(
            "STELLA-503", () -> AgeBytes.seal(Age.format(), new byte[1], recipients));
    assertTrue(refusal.getMessage().contains("stand alone"), refusal.getMessage());
  }

  private record OwnRecipient(String type, List<String> arguments, String body)
      implements Recipient {
    @Override
    public String text() {
      return "own";
    }

    @Override
    public Set<String> labels() {
      return Set.of();
    }

    @Override
    public List<Stanza> wrap(FileKey key) {
      return List.of(new Stanza(type, arguments, body));
    }

    @Override
    public SealedFormat format() {
      return Age.format();
    }
  }
}
