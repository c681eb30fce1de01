package org.stellaops.backup.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class TrustTest {
  private static final String KEY = "ssh-ed25519 " + "A".repeat(68);
  private static final String OTHER = "ssh-ed25519 " + "B".repeat(68);

  private static Trust of(String principals) {
    return Trust.allowedSigners(principals + " namespaces=\"stella-backup-v1\" " + KEY + " host\n");
  }

  @Test
  void a_writer_speaks_in_its_log_and_its_streams_and_nowhere_else() {
    Trust trust = Trust.writers(new WriterId("host-a", KEY));
    for (String log : List.of("host-a", "host-a.wal", "host-a.x.y")) {
      assertTrue(trust.accepts(log, KEY), log);
      assertFalse(trust.accepts(log, OTHER), log);
      assertTrue(trust.knows(log), log);
    }
    for (String log :
        List.of("host-b", "host-ab", "host-a-wal", "xhost-a", "admin", "verify", "")) {
      assertFalse(trust.knows(log), log);
    }
  }

  @Test
  void an_owner_speaks_in_the_common_logs_too() {
    Trust trust = Trust.owner(new WriterId("host-a", KEY));
    for (String log : List.of("admin", "retention", "verify", "host-a")) {
      assertTrue(trust.accepts(log, KEY), log);
    }
  }

  @Test
  void patterns_mean_what_they_mean_to_ssh_keygen() {
    assertTrue(of("host-?").accepts("host-a", KEY));
    assertFalse(of("host-?").accepts("host-", KEY));
    assertFalse(of("host-?").accepts("host-ab", KEY));
    assertFalse(of("host-?").accepts("host", KEY));
    assertTrue(of("host-*").accepts("host-", KEY));
    assertTrue(of("*").accepts("anything", KEY));
    assertTrue(of("a,b.*").accepts("b.x", KEY));
    assertFalse(of("a.b").accepts("axb", KEY));
  }

  @Test
  void a_line_that_is_not_understood_is_refused_and_not_passed_over() {
    for (String line :
        List.of(
            "host-a " + KEY.substring(0, 40),
            "host-a ssh-rsa AAAA",
            "host-a cert-authority " + KEY,
            "host-a valid-before=\"20300101\" " + KEY,
            "host-a namespaces=\"git\" " + KEY,
            "!host-a " + KEY,
            "a|b " + KEY,
            "(a " + KEY,
            "[a-z] " + KEY,
            KEY)) {
      assertThrows(IllegalArgumentException.class, () -> Trust.allowedSigners(line), line);
    }
  }

  @Test
  void what_is_written_is_read() {
    Trust trust =
        Trust.owner(new WriterId("host-a", KEY)).and(Trust.writers(new WriterId("b", OTHER)));
    assertEquals(trust, Trust.allowedSigners("# comment\n\n" + trust.toAllowedSigners()));
    assertTrue(trust.pinsAnybody());
    assertFalse(Trust.nobody().pinsAnybody());
    assertFalse(Trust.allowedSigners("# nobody\n").pinsAnybody());
  }
}
