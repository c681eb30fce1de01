package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

class SshSignatureTest {
  private static final byte[] MESSAGE = "what was said".getBytes(StandardCharsets.US_ASCII);
  private final TestSigner signer = new TestSigner();

  private void assertBad(String armor) {
    assertBad(armor, MESSAGE);
  }

  private static void assertBad(String armor, byte[] message) {
    var bad =
        assertThrows(
            BackupException.Corrupt.class,
            () -> SshSignature.verify(armor, message, "the entry"),
            armor);
    assertEquals(CoreFailure.BAD_SIGNATURE, bad.code());
    assertEquals("STELLA-402 the entry: ", bad.getMessage().substring(0, 22));
  }

  @Test
  void the_key_that_signed_is_named() throws Exception {
    assertEquals(
        signer.publicKey(), SshSignature.verify(signer.armor(MESSAGE), MESSAGE, "the entry"));
    signer.hash = "sha256";
    assertEquals(
        signer.publicKey(), SshSignature.verify(signer.armor(MESSAGE), MESSAGE, "the entry"));
  }

  @Test
  void another_message_is_refused() throws Exception {
    String armor = signer.armor(MESSAGE);
    assertBad(armor, new byte[0]);
    assertBad(armor, "what was said\n".getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void whatever_the_signer_did_differently_is_refused() throws Exception {
    signer.namespace = "git";
    assertBad(signer.armor(MESSAGE));
    signer.namespace = SshSignature.NAMESPACE;
    signer.hash = "sha384";
    assertBad(signer.armor(MESSAGE));
    signer.hash = "sha512";
    signer.reserved = "x";
    assertBad(signer.armor(MESSAGE));
    signer.reserved = "";
    signer.version = 2;
    assertBad(signer.armor(MESSAGE));
    signer.version = 1;
    signer.behind = new byte[1];
    assertBad(signer.armor(MESSAGE));
  }

  @Test
  void every_flipped_bit_gives_another_key_or_none() throws Exception {
    byte[] blob = signer.blob(MESSAGE);
    for (int bit = 0; bit < blob.length * 8; bit++) {
      byte[] flipped = blob.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      try {
        String key = SshSignature.verify(SshSignature.armor(flipped), MESSAGE, "the entry");
        assertNotEquals(signer.publicKey(), key, "bit " + bit);
      } catch (BackupException.Corrupt e) {
        assertEquals(CoreFailure.BAD_SIGNATURE, e.code(), "bit " + bit);
      }
    }
  }

  @Test
  void every_truncation_is_refused() throws Exception {
    byte[] blob = signer.blob(MESSAGE);
    for (int length = 0; length < blob.length; length++) {
      assertBad(SshSignature.armor(Arrays.copyOf(blob, length)));
    }
    String armor = signer.armor(MESSAGE);
    for (int length = 0; length < armor.length(); length++) {
      assertBad(armor.substring(0, length));
    }
  }

  @Test
  void there_is_one_armor() throws Exception {
    String armor = signer.armor(MESSAGE);
    assertBad(armor + "\n");
    assertBad("\n" + armor);
    assertBad(armor.replace("\n", "\r\n"));
    assertBad(armor.replaceFirst("(?<=SIGNATURE-----\n.{69}.)\n", ""));
    assertBad(armor.replaceFirst("(?<=SIGNATURE-----\n.{10})", "\n"));
    assertBad(armor.replace("\n-----END", "=\n-----END"));
    assertBad(armor.replace("\n-----END", "\n\n-----END"));
    assertBad(armor + armor);
    assertBad("A".repeat(5_000_000));
  }

  @Test
  void lengths_that_lie_are_refused() throws Exception {
    byte[] blob = signer.blob(MESSAGE);
    for (int lie : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 1 << 24}) {
      for (int at = 10; at < blob.length - 4; at++) {
        byte[] lying = blob.clone();
        java.nio.ByteBuffer.wrap(lying).putInt(at, lie);
        String armor = SshSignature.armor(lying);
        try {
          assertNotEquals(signer.publicKey(), SshSignature.verify(armor, MESSAGE, "the entry"));
        } catch (BackupException.Corrupt e) {
          assertEquals(CoreFailure.BAD_SIGNATURE, e.code());
        }
      }
    }
  }
}
