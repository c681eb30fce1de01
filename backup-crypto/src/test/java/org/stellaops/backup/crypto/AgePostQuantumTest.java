package org.stellaops.backup.crypto;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.Encryptor;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;

/** Recipients of ML-KEM-768 with X25519, as age 1.3 has them. */
class AgePostQuantumTest {
  private static final byte[] PLAIN = "kept for thirty years".getBytes(StandardCharsets.UTF_8);

  private static byte[] seal(Recipient... to) throws IOException {
    var stored = new ByteArrayOutputStream();
    try (Encryptor.Sealing sealing = Age.format().seal(stored, List.of(to))) {
      sealing.write(PLAIN);
      sealing.finish();
    }
    return stored.toByteArray();
  }

  private static byte[] open(byte[] stored, Identity by) throws IOException {
    try (var plain = Age.format().open(new ByteArrayInputStream(stored), List.of(by))) {
      return plain.readAllBytes();
    }
  }

  @Test
  void each_of_several_recipients_opens_and_nobody_else() throws Exception {
    try (AgeIdentity one = AgeIdentity.generatePostQuantum();
        AgeIdentity two = AgeIdentity.generatePostQuantum();
        AgeIdentity other = AgeIdentity.generatePostQuantum();
        AgeIdentity classic = AgeIdentity.generate()) {
      byte[] stored = seal(one.recipient(), two.recipient());
      assertArrayEquals(PLAIN, open(stored, one));
      assertArrayEquals(PLAIN, open(stored, two));
      for (AgeIdentity wrong : List.of(other, classic)) {
        var e = assertThrows(BackupException.Crypto.class, () -> open(stored, wrong));
        assertEquals(CoreFailure.WRONG_KEY, e.code());
      }
    }
  }

  @Test
  void an_identity_and_its_recipient_are_what_they_were_written_as() throws Exception {
    try (AgeIdentity identity = AgeIdentity.generatePostQuantum();
        Secret text = identity.text();
        AgeIdentity again = AgeIdentity.parse(text)) {
      assertTrue(text.use(c -> new String(c)).startsWith("AGE-SECRET-KEY-PQ-1"));
      assertTrue(identity.recipient().text().startsWith("age1pq1"));
      assertEquals(identity.recipient(), again.recipient());
      assertEquals(identity.recipient(), AgeRecipient.parse(identity.recipient().text()));
      assertArrayEquals(PLAIN, open(seal(AgeRecipient.parse(identity.recipient().text())), again));
    }
  }

  @Test
  void post_quantum_recipients_mix_with_no_others() throws Exception {
    try (AgeIdentity quantum = AgeIdentity.generatePostQuantum();
        AgeIdentity classic = AgeIdentity.generate();
        Secret words = Secret.of("words")) {
      for (Recipient other : List.of(classic.recipient(), AgeRecipient.passphrase(words))) {
        var e = assertThrows(BackupException.Crypto.class, () -> seal(quantum.recipient(), other));
        assertEquals(CoreFailure.BAD_KEY, e.code());
        assertTrue(String.valueOf(e.getMessage()).contains("do not mix"), e.getMessage());
      }
    }
  }

  @Test
  void every_altered_byte_of_a_stanza_is_noticed() throws Exception {
    try (AgeIdentity identity = AgeIdentity.generatePostQuantum()) {
      byte[] stored = seal(identity.recipient());
      int header = new String(stored, StandardCharsets.ISO_8859_1).indexOf("\n---");
      for (int at = 22; at < header; at += 37) {
        byte[] altered = stored.clone();
        altered[at] ^= 1;
        assertThrows(IOException.class, () -> open(altered, identity));
      }
    }
  }

  @Test
  void what_is_no_public_key_is_refused() throws Exception {
    try (AgeIdentity identity = AgeIdentity.generatePostQuantum()) {
      String text = identity.recipient().text();
      String other = text.endsWith("q") ? "p" : "q";
      assertThrows(
          IllegalArgumentException.class,
          () -> AgeRecipient.parse(text.substring(0, text.length() - 1) + other));
      assertThrows(
          IllegalArgumentException.class,
          () -> AgeRecipient.parse(text.toUpperCase(java.util.Locale.ROOT)));
    }
  }

  @Test
  void a_new_identity_for_post_quantum_recipients_is_one_too() throws Exception {
    try (AgeIdentity identity = AgeIdentity.generatePostQuantum();
        Secret fresh = identity.recipient().format().newIdentity()) {
      assertTrue(Age.format().recipientOf(fresh).text().startsWith("age1pq1"));
      assertEquals(Age.format().name(), identity.recipient().format().name());
    }
  }
}
