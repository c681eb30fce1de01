package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.Stanza;

/**
 * What every {@link Recipient} and its {@link Identity} have to do: of a file, of a passphrase, of
 * a KMS. A subclass makes keys.
 */
public abstract class RecipientContract {
  /** Length of a file key in age-encryption.org/v1, "File key". */
  private static final int FILE_KEY_BYTES = 16;

  private static final int THREADS = 4;

  /** A stanza for nobody, as other programs may add one to be ignored. */
  private static final Stanza GREASE =
      new Stanza("contract-grease", List.of("one", "two"), "AAAAAAAAAAAAAAAAAAAAAA");

  /** For subclasses. */
  protected RecipientContract() {}

  /** A fresh pair of keys, of the same kind each time. */
  protected abstract KeyPair newKeys() throws Exception;

  @Test
  public void the_identity_unwraps_what_its_recipient_wrapped() throws Exception {
    KeyPair keys = newKeys();
    byte[] key = SeededBytes.of(1, FILE_KEY_BYTES);

    assertArrayEquals(key, bytes(unwrap(keys, wrap(keys, key)).orElseThrow()));
  }

  @Test
  public void a_stranger_gets_nothing() throws Exception {
    List<Stanza> stanzas = wrap(newKeys(), SeededBytes.of(2, FILE_KEY_BYTES));

    assertNoKey(newKeys(), stanzas, "a stranger");
  }

  @Test
  public void stanzas_for_others_are_passed_over() throws Exception {
    KeyPair keys = newKeys();
    byte[] key = SeededBytes.of(3, FILE_KEY_BYTES);
    if (keys.recipient().labels().isEmpty()) {
      List<Stanza> among = new ArrayList<>(List.of(GREASE));
      among.addAll(wrap(newKeys(), SeededBytes.of(4, FILE_KEY_BYTES)));
      among.addAll(wrap(keys, key));
      among.add(GREASE);

      assertArrayEquals(key, bytes(unwrap(keys, among).orElseThrow()));
    }
    assertTrue(unwrap(keys, List.of(GREASE)).isEmpty());
    assertTrue(unwrap(keys, List.of()).isEmpty());
  }

  @Test
  public void a_damaged_stanza_never_gives_a_key() throws Exception {
    KeyPair keys = newKeys();
    List<Stanza> stanzas = wrap(keys, SeededBytes.of(5, FILE_KEY_BYTES));
    for (int i = 0; i < stanzas.size(); i++) {
      for (Stanza damaged : damagesOf(stanzas.get(i))) {
        List<Stanza> all = new ArrayList<>(stanzas);
        all.set(i, damaged);

        assertNoKey(keys, all, damaged.toString());
      }
    }
  }

  @Test
  public void equal_keys_are_wrapped_so_that_each_opens() throws Exception {
    KeyPair keys = newKeys();
    byte[] key = SeededBytes.of(6, FILE_KEY_BYTES);
    List<Stanza> one = wrap(keys, key);
    List<Stanza> other = wrap(keys, key);

    assertArrayEquals(key, bytes(unwrap(keys, one).orElseThrow()));
    assertArrayEquals(key, bytes(unwrap(keys, other).orElseThrow()));
  }

  @Test
  public void a_stanza_can_be_written_in_a_header() throws Exception {
    KeyPair keys = newKeys();
    List<Stanza> stanzas = wrap(keys, SeededBytes.of(7, FILE_KEY_BYTES));

    assertFalse(stanzas.isEmpty());
    for (Stanza stanza : stanzas) {
      List<String> words = new ArrayList<>(stanza.arguments());
      words.add(stanza.type());
      words.forEach(w -> assertTrue(w.matches("[!-~]+"), "visible ASCII: " + w));
      assertTrue(stanza.body().matches("[A-Za-z0-9+/]*"), "unpadded base64: " + stanza.body());
    }
  }

  @Test
  public void a_recipient_is_a_value_that_can_be_shown() throws Exception {
    Recipient recipient = newKeys().recipient();

    assertFalse(recipient.text().isBlank());
    assertFalse(recipient.text().contains("\n"), recipient.text());
    assertEquals(recipient.text(), recipient.text());
    assertEquals(recipient.labels(), recipient.labels());
    assertFalse(recipient.format().name().isBlank());
  }

  @Test
  public void many_threads_can_wrap_and_unwrap_at_once() throws Exception {
    KeyPair keys = newKeys();
    List<Callable<Boolean>> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      byte[] key = SeededBytes.of(100 + i, FILE_KEY_BYTES);
      threads.add(
          () -> {
            assertArrayEquals(key, bytes(unwrap(keys, wrap(keys, key)).orElseThrow()));
            return true;
          });
    }

    assertEquals(THREADS, Crowd.run(threads).size());
  }

  private static List<Stanza> damagesOf(Stanza stanza) {
    String body = stanza.body();
    List<Stanza> damages = new ArrayList<>();
    if (!body.isEmpty()) {
      char other = body.charAt(0) == 'A' ? 'B' : 'A';
      damages.add(new Stanza(stanza.type(), stanza.arguments(), other + body.substring(1)));
      damages.add(new Stanza(stanza.type(), stanza.arguments(), body.substring(4)));
    }
    damages.add(new Stanza(stanza.type(), stanza.arguments(), body + "AAAA"));
    damages.add(new Stanza(stanza.type(), stanza.arguments(), ""));
    damages.add(new Stanza(stanza.type(), List.of(), body));
    if (stanza.arguments().isEmpty()) {
      damages.remove(damages.size() - 1);
    }
    return damages;
  }

  private static void assertNoKey(KeyPair keys, List<Stanza> stanzas, String what)
      throws IOException {
    Optional<FileKey> key;
    try {
      key = unwrap(keys, stanzas);
    } catch (BackupException.Crypto e) {
      key = Optional.empty();
    }
    assertTrue(key.isEmpty(), "a key came out: " + what);
  }

  private static List<Stanza> wrap(KeyPair keys, byte[] key) throws IOException {
    try (FileKey fileKey = FileKey.of(key)) {
      return keys.recipient().wrap(fileKey);
    }
  }

  private static Optional<FileKey> unwrap(KeyPair keys, List<Stanza> stanzas) throws IOException {
    return keys.identity().unwrap(stanzas);
  }

  private static byte[] bytes(FileKey key) {
    return key.use(byte[]::clone);
  }
}
