package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotRef.Quality;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.testkit.MemorySink;

/** Somebody who can write to the store, knows the format and every public key, and has no other. */
class AttackIT {
  private static final ObjectName NEWEST = ObjectName.of("log/host-a/0000000004.entry");
  private static final ObjectName NEXT = ObjectName.of("log/host-a/0000000005.entry");

  @TempDir Path root;
  private DamagedRepository repository;
  private MemorySink sink;

  @BeforeEach
  void twoSnapshots() throws IOException {
    repository = new DamagedRepository(root);
    repository.fill(
        BytesSource.of("a", Fixture.random(1, 300)), BytesSource.of("a", Fixture.random(2, 300)));
    sink = repository.sink;
  }

  private String text(ObjectName entry) throws IOException {
    return new String(sink.raw().read(entry), StandardCharsets.US_ASCII);
  }

  private void write(ObjectName entry, String text) throws IOException {
    sink.raw().write(entry, text.getBytes(StandardCharsets.UTF_8));
  }

  private void assertNamed(CoreFailure code, ObjectName object) throws IOException {
    List<Finding> damage = repository.checkStored(sink).damage();
    assertTrue(
        damage.stream().anyMatch(f -> f.code() == code && f.subject().equals(object.value())),
        "expected " + code + " of " + object + ", found " + damage);
  }

  private List<String> listed() throws IOException {
    try (BackupRepository opened = repository.open()) {
      return opened.catalog().list(SnapshotFilter.all()).stream()
          .filter(SnapshotSummary::isAuthenticated)
          .map(s -> s.name().value())
          .toList();
    }
  }

  @Test
  void bytes_after_the_armor_are_refused() throws IOException {
    String entry = text(NEWEST);
    for (String more : List.of("\n", " ", "#", "# x: y\n", "#sig \n", "#sig x\n", "\u0000")) {
      write(NEWEST, entry + more);
      assertEquals(List.of("snapshot-1"), listed(), "after the armor: '" + more + "'");
    }
  }

  @Test
  void another_armor_of_the_same_signature_is_refused() throws IOException {
    String entry = text(NEWEST);
    String body = entry.substring(entry.indexOf("\n#sig ") + 1);
    String head = entry.substring(0, entry.indexOf("\n#sig ") + 1);
    String joined = body.replaceAll("(?<=[A-Za-z0-9+/=])\n#sig (?=[A-Za-z0-9+/=])", "");
    String[] lines = body.split("\n");
    for (String other :
        List.of(
            joined,
            body.replace("\n", "\r\n"),
            body.replace("#sig ", "#sig  "),
            body.substring(0, body.length() - 1),
            body + "#sig \n",
            body.replace(
                lines[1] + "\n",
                lines[1].substring(0, 60) + "\n#sig " + lines[1].substring(60) + "\n"),
            body + body)) {
      assertFalse(other.equals(body), "the armor was changed");
      write(NEWEST, head + other);
      assertEquals(List.of("snapshot-1"), listed(), other);
      List<Finding> damage = repository.checkStored(sink).damage();
      assertTrue(damage.toString().contains(NEWEST.value()), damage.toString());
    }
  }

  @Test
  void an_unsigned_entry_is_refused() throws IOException {
    String entry = text(NEWEST);
    write(NEWEST, entry.substring(0, entry.indexOf("#sig ")));
    assertNamed(CoreFailure.MALFORMED, NEWEST);
    assertEquals(List.of("snapshot-1"), listed());
  }

  @Test
  void an_entry_with_another_word_is_refused() throws IOException {
    write(NEWEST, text(NEWEST).replace("# outcome: good", "# outcome: fail"));
    assertNamed(CoreFailure.BAD_SIGNATURE, NEWEST);
    assertEquals(List.of("snapshot-1"), listed());
  }

  @Test
  void an_entry_of_another_repository_is_refused(@TempDir Path elsewhere) throws IOException {
    try (DamagedRepository other = new DamagedRepository(elsewhere)) {
      other.fill(BytesSource.of("a", new byte[1]), BytesSource.of("a", new byte[2]));
      for (ObjectName newest : List.of(NEWEST, ObjectName.of("log/verify/0000000002.entry"))) {
        ObjectName next =
            newest.equals(NEWEST) ? NEXT : ObjectName.of("log/verify/0000000003.entry");
        sink.raw().write(next, other.raw().read(newest));
        assertNamed(CoreFailure.CHAIN_BROKEN, next);
        sink.raw().remove(next);
      }
    }
  }

  @Test
  void an_entry_of_another_log_is_refused() throws IOException {
    write(NEXT, text(ObjectName.of("log/verify/0000000002.entry")));
    assertNamed(CoreFailure.CHAIN_BROKEN, NEXT);
  }

  @Test
  void an_entry_that_an_unpinned_key_signed_is_refused(@TempDir Path elsewhere) throws IOException {
    try (DamagedRepository mallory = new DamagedRepository(elsewhere)) {
      Forgery forged = Forgery.after(text(NEWEST)).field("# name: snapshot-2", "# name: forged");
      write(NEXT, forged.signedBy(mallory.keys));
      assertNamed(CoreFailure.UNTRUSTED_WRITER, NEXT);
      assertEquals(List.of("snapshot-2", "snapshot-1"), listed());
      write(
          NEXT,
          Forgery.after(text(NEWEST))
              .field("# name: snapshot-2", "# name: real")
              .signedBy(repository.keys));
      assertEquals(3, listed().size(), "the forgery is right in everything but its key");
    }
  }

  @Test
  void a_log_of_nobody_known_brings_no_newest_snapshot_and_no_second_of_a_name(
      @TempDir Path elsewhere) throws IOException {
    try (DamagedRepository mallory = new DamagedRepository(elsewhere)) {
      String evil = "01m7zzzzzzzzzzzzzzzzzzzzzz";
      String newer =
          Forgery.first(text(NEWEST), "mallory")
              .replace("# taken: 2026-11-20", "# taken: 2026-12-24")
              .replace("# snapshot: 01.*", "# snapshot: " + evil)
              .signedBy(mallory.keys);
      write(ObjectName.of("log/mallory/0000000001.entry"), newer);
      try (BackupRepository opened = repository.open()) {
        SnapshotRef newest = SnapshotRef.newest(Quality.GOOD);
        assertEquals("host-a", opened.catalog().info(newest).writer());
        assertEquals("host-a", opened.catalog().info(SnapshotRef.named("snapshot-2")).writer());
        for (Quality quality : Quality.values()) {
          assertEquals(
              "snapshot-2", opened.catalog().info(SnapshotRef.newest(quality)).name().value());
        }
        SnapshotSummary listed =
            opened.catalog().list(SnapshotFilter.all()).stream()
                .filter(s -> s.writer().equals("mallory"))
                .findFirst()
                .orElseThrow();
        assertFalse(listed.isAuthenticated());
        var refused =
            assertThrows(
                BackupException.Corrupt.class,
                () ->
                    opened.planRestore(
                        RestoreRequest.of(new SnapshotId(evil)).with(repository.owner)));
        assertEquals(CoreFailure.UNTRUSTED_WRITER, refused.code());
      }
      assertArrayEquals(
          Fixture.random(2, 300),
          repository.restore(SnapshotRef.newest(Quality.GOOD)).restored.get("a"));
    }
  }

  @Test
  void without_pinned_keys_nothing_is_called_authenticated() throws IOException {
    try (BackupRepository opened = BackupRepository.at(sink).executor(Runnable::run).open()) {
      RepositoryReport report = opened.check(Verification.full(repository.owner));
      assertTrue(report.isIntact(), report.toString());
      assertTrue(
          report.snapshots().stream().allMatch(s -> s.verdict() == Verdict.INTACT_UNAUTHENTICATED),
          report.toString());
      assertTrue(
          opened.catalog().list(SnapshotFilter.all()).stream().noneMatch(s -> s.isAuthenticated()));
    }
  }

  @Test
  void a_forged_key_path_ends_no_check_and_reads_nothing_outside(@TempDir Path elsewhere)
      throws IOException {
    try (DamagedRepository mallory = new DamagedRepository(elsewhere)) {
      for (String path :
          List.of("keys/../repository.json", "keys//x", "keys/./x", "keys/..", "keys/x/")) {
        String line = "0".repeat(64) + "  " + path + "\n";
        String entry = Forgery.first(text(NEWEST), "mallory").add(line).signedBy(mallory.keys);
        write(ObjectName.of("log/mallory/0000000001.entry"), entry);
        List<Finding> damage = repository.checkStored(sink).damage();
        assertTrue(
            damage.stream().allMatch(f -> f.subject().equals("log/mallory/0000000001.entry")),
            path + ": " + damage);
        try (BackupRepository anybody = BackupRepository.at(sink).open()) {
          assertEquals(2, anybody.check(Verification.stored()).snapshots().size());
        }
      }
    }
  }

  @Test
  void a_record_of_a_verification_counts_for_exactly_its_entry_and_only_from_a_pinned_key(
      @TempDir Path elsewhere) throws IOException {
    String verify = text(ObjectName.of("log/verify/0000000002.entry"));
    ObjectName next = ObjectName.of("log/verify/0000000003.entry");
    repository.backup("snapshot-3", BytesSource.of("a", new byte[3]));
    try (BackupRepository opened = repository.open();
        DamagedRepository mallory = new DamagedRepository(elsewhere)) {
      String digest = opened.catalog().info(SnapshotRef.named("snapshot-3")).entry().hex();
      String other = opened.catalog().info(SnapshotRef.named("snapshot-2")).entry().hex();
      String record = "# verified: host-a/3 %s stored intact\n";
      Map<String, String> unbelieved =
          Map.of(
              "signed by nobody known",
              Forgery.after(verify).body(record.formatted(digest)).signedBy(mallory.keys),
              "of another entry",
              Forgery.after(verify).body(record.formatted(other)).signedBy(repository.keys),
              "of damage",
              Forgery.after(verify)
                  .body(record.formatted(digest).replace("intact", "damaged"))
                  .signedBy(repository.keys),
              "of a verdict unheard of",
              Forgery.after(verify)
                  .body(record.formatted(digest).replace("intact", "splendid"))
                  .signedBy(repository.keys),
              "of no digest",
              Forgery.after(verify).body(record.formatted("none")).signedBy(repository.keys),
              "with a feature unheard of",
              Forgery.after(verify)
                  .body("# requires: irony\n" + record.formatted(digest))
                  .signedBy(repository.keys),
              "without words",
              Forgery.after(verify).body("").signedBy(repository.keys));
      for (Map.Entry<String, String> forged : unbelieved.entrySet()) {
        write(next, forged.getValue());
        assertEquals(List.of("snapshot-3"), unverified(), forged.getKey());
      }
      write(next, Forgery.after(verify).body(record.formatted(digest)).signedBy(repository.keys));
      assertEquals(List.of(), unverified());
    }
  }

  /** By an empty machine: nothing is remembered of what stood in the log before. */
  private List<String> unverified() throws IOException {
    try (BackupRepository opened = repository.open()) {
      return opened.catalog().list(SnapshotFilter.all().unverified()).stream()
          .map(s -> s.name().value())
          .toList();
    }
  }
}
