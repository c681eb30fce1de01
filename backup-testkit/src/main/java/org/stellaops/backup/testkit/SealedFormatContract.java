package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.Decryptor;
import org.stellaops.backup.spi.Encryptor;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;

/**
 * What every {@link SealedFormat} has to do: all of {@link EncryptorContract}, with keys the format
 * makes itself, and what it says of keys. A subclass gives the format.
 */
public abstract class SealedFormatContract extends EncryptorContract {
  private final List<Identity> opened = new ArrayList<>();

  /** For subclasses. */
  protected SealedFormatContract() {}

  /** What is tested. */
  protected abstract SealedFormat format();

  @Override
  protected Encryptor encryptor() {
    return format();
  }

  @Override
  protected Decryptor decryptor() {
    return format();
  }

  @Override
  protected KeyPair newKeys() throws Exception {
    try (Secret secret = format().newIdentity()) {
      return keys(secret);
    }
  }

  /** Closes the identities of the test. */
  @AfterEach
  public void closeIdentities() {
    opened.forEach(Identity::close);
  }

  @Test
  public void its_name_ends_in_a_version() {
    assertEquals(true, format().name().matches("[a-z0-9.-]+/[0-9]+"), format().name());
  }

  @Test
  public void new_identities_differ() throws Exception {
    assertNotEquals(newKeys().recipient().text(), newKeys().recipient().text());
  }

  @Test
  public void a_recipient_can_be_written_down_and_read_again() throws Exception {
    KeyPair keys = newKeys();

    Recipient again = format().recipient(keys.recipient().text());

    assertEquals(keys.recipient().text(), again.text());
    assertEquals(keys.recipient().labels(), again.labels());
    assertOpens(again, keys.identity());
  }

  @Test
  public void an_identity_file_may_hold_comments_empty_lines_and_several_identities()
      throws Exception {
    try (Secret one = format().newIdentity();
        Secret other = format().newIdentity();
        Secret file =
            Secret.of("# two\n\n" + text(one) + "\n\n# and another\r\n" + text(other) + "\r\n")) {
      Identity both = format().identity(file);
      opened.add(both);

      assertOpens(format().recipientOf(one), both);
      assertOpens(format().recipientOf(other), both);
    }
  }

  @Test
  public void what_is_no_identity_is_a_bad_key_and_is_not_repeated() throws Exception {
    try (Secret real = format().newIdentity()) {
      String text = text(real);
      List<String> wrong =
          List.of(
              "",
              "# only a comment\n",
              "c4n4ry-no-identity",
              text.substring(0, text.length() - 1),
              text + "A",
              text.substring(1),
              "x" + text);
      for (String each : wrong) {
        Secret secret = Secret.of(each);

        var e = assertThrows(BackupException.Crypto.class, () -> format().identity(secret));

        assertEquals(CoreFailure.BAD_KEY, e.code(), e.getMessage());
        assertKeepsSecret(e, each);
      }
    }
  }

  @Test
  public void what_is_no_recipient_is_a_bad_key() throws Exception {
    String text = newKeys().recipient().text();
    List<String> wrong =
        List.of(
            "",
            " ",
            "somebody@example.com",
            text.substring(0, text.length() - 1),
            text + "q",
            text.substring(1),
            text + "\n" + text);
    for (String each : wrong) {
      var e = assertThrows(BackupException.Crypto.class, () -> format().recipient(each), each);
      assertEquals(CoreFailure.BAD_KEY, e.code(), e.getMessage());
    }
  }

  @Test
  public void an_identity_taken_for_a_recipient_is_refused_and_not_repeated() throws Exception {
    try (Secret secret = format().newIdentity()) {
      String text = text(secret);

      var e = assertThrows(BackupException.Crypto.class, () -> format().recipient(text));

      assertEquals(CoreFailure.BAD_KEY, e.code(), e.getMessage());
      assertKeepsSecret(e, text);
    }
  }

  @Test
  public void keys_know_their_format_and_do_not_print() throws Exception {
    try (Secret secret = format().newIdentity()) {
      KeyPair keys = keys(secret);

      assertEquals(format().name(), keys.identity().format().name());
      assertEquals(format().name(), keys.recipient().format().name());
      assertFalse(keys.identity().toString().contains(text(secret)));
    }
  }

  private void assertOpens(Recipient to, Identity by) throws Exception {
    byte[] plain = SeededBytes.of(20, 100);
    var stored = new ByteArrayOutputStream();
    try (Encryptor.Sealing sealing = format().seal(stored, List.of(to))) {
      sealing.write(plain);
      sealing.finish();
    }
    try (InputStream in =
        format().open(new ByteArrayInputStream(stored.toByteArray()), List.of(by))) {
      assertArrayEquals(plain, in.readAllBytes());
    }
  }

  /** Longer than any word that a message might hold for another reason. */
  private static void assertKeepsSecret(Throwable e, String secret) {
    if (secret.length() > 10 && !secret.startsWith("#")) {
      String core = secret.strip().substring(2, secret.length() - 2);
      assertFalse(String.valueOf(e.getMessage()).contains(core), "the message holds the text");
    }
  }

  private KeyPair keys(Secret secret) throws Exception {
    Identity identity = format().identity(secret);
    opened.add(identity);
    return new KeyPair(format().recipientOf(secret), identity);
  }

  private static String text(Secret secret) {
    return secret.use(String::new).strip();
  }
}
