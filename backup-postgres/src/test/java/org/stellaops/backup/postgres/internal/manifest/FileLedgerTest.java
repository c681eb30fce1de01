package org.stellaops.backup.postgres.internal.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class FileLedgerTest {
  private final FileLedger ledger = new FileLedger();

  @Test
  void files_settle_whichever_side_is_known_first() {
    ledger.find("a", contents("a"));
    ledger.declare("a", contents("a"));
    ledger.declare("b", contents("bb"));
    ledger.find("b", contents("bb"));

    assertEquals(List.of(), ledger.close());
    assertEquals(2, ledger.files());
    assertEquals(3, ledger.bytes());
  }

  @Test
  void a_difference_names_file_expected_and_found_at_once() {
    ledger.declare("base/1/1", contents("good"));
    ledger.find("base/1/1", contents("evil"));

    assertEquals(
        List.of("base/1/1: expected " + contents("good") + ", found " + contents("evil")),
        ledger.problems());
  }

  @Test
  void the_other_order_says_the_same() {
    ledger.find("base/1/1", contents("evil"));
    ledger.declare("base/1/1", contents("good"));

    assertEquals(
        List.of("base/1/1: expected " + contents("good") + ", found " + contents("evil")),
        ledger.problems());
  }

  @Test
  void what_only_one_side_knows_is_named_at_the_end() {
    ledger.declare("missing", contents("m"));
    ledger.find("foreign", contents("f"));

    assertEquals(List.of(), ledger.problems());
    assertEquals(
        List.of(
            "missing: declared in backup_manifest, but missing",
            "foreign: there, but not declared in backup_manifest"),
        ledger.close());
  }

  @Test
  void what_is_there_twice_is_a_problem() {
    ledger.find("a", contents("a"));
    ledger.find("a", contents("a"));
    ledger.declare("b", contents("b"));
    ledger.declare("b", contents("b"));

    assertEquals(List.of("a: there twice", "b: declared twice"), ledger.problems());
  }

  @Test
  void wal_need_not_be_declared_but_has_to_fit_if_it_is() {
    ledger.find("pg_wal/000000010000000000000001", contents("wal"));
    ledger.declare("pg_wal/archive_status/x.done", contents(""));
    assertEquals(List.of(), ledger.close());

    ledger.find("pg_wal/archive_status/x.done", contents("more"));
    assertTrue(ledger.problems().get(0).startsWith("pg_wal/archive_status/x.done: expected"));
  }

  private static FileContents contents(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return FileContents.of(bytes.length, crc);
  }
}
