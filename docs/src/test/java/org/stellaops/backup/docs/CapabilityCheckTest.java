package org.stellaops.backup.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CapabilityCheckTest {
  private static final Instant STARTED = Instant.parse("2026-01-02T03:04:05Z");

  @TempDir Path root;

  @BeforeEach
  void reports_of_two_modules() throws IOException {
    report(
        "backup-x/target/surefire-reports/TEST-a.XTest.xml",
        STARTED,
        """
        <testcase name="passes" classname="a.XTest"/>
        <testcase name="passesTwice(int)[1]" classname="a.XTest"/>
        <testcase name="passesTwice(int)[2]" classname="a.XTest"/>
        <testcase name="failsOnce(int)[1]" classname="a.XTest"/>
        <testcase name="failsOnce(int)[2]" classname="a.XTest"><failure message="no"/></testcase>
        <testcase name="breaks" classname="a.XTest"><error message="no"/></testcase>
        <testcase name="isSkipped" classname="a.XTest"><skipped/></testcase>
        <testcase name="isFlaky" classname="a.XTest"><flakyFailure message="no"/></testcase>
        """);
    report(
        "examples/y/target/failsafe-reports/TEST-a.YIT.xml",
        STARTED.plusSeconds(60),
        """
        <testcase name="passes" classname="a.YIT"/>
        <testcase name="passes" classname="a.YIT$Nested"/>
        """);
    report(
        "backup-x/target/surefire-reports/TEST-a.OldTest.xml",
        STARTED.minusSeconds(1),
        "<testcase name=\"passes\" classname=\"a.OldTest\"/>");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a.XTest#passes",
        "`a.XTest#passesTwice`",
        "a.YIT",
        "a.YIT#passes",
        "a.YIT$Nested",
        "a.XTest#passes, a.YIT"
      })
  void a_test_that_ran_and_passed_is_a_proof(String proof) throws IOException {
    assertEquals(List.of(), problems("done", proof));
    assertEquals(List.of(), problems("partial", proof));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "a.XTest#failsOnce; failed: a.XTest#failsOnce, as failsOnce(int)[2]",
        "a.XTest#breaks; failed: a.XTest#breaks, as breaks",
        "a.XTest#isFlaky; failed: a.XTest#isFlaky, as isFlaky",
        "a.XTest#isSkipped; was skipped: a.XTest#isSkipped, as isSkipped",
        "a.XTest#passe; did not run: a.XTest#passe",
        "a.XTest#absent; did not run: a.XTest#absent",
        "a.AbsentTest; did not run: a.AbsentTest",
        "a.OldTest#passes; did not run: a.OldTest#passes",
        "a.XTest#passes, a.AbsentTest; did not run: a.AbsentTest",
      })
  void a_test_that_did_not_run_or_pass_is_none(String proof, String problem) throws IOException {
    assertEquals(List.of("ABC-001: " + problem), problems("done", proof));
    assertEquals(List.of("ABC-001: " + problem), problems("partial", proof));
    assertEquals(List.of(), problems("planned", proof));
  }

  @Test
  void a_class_is_proved_by_all_of_its_tests() throws IOException {
    assertEquals(4, problems("done", "a.XTest").size());
  }

  @Test
  void proofs_are_asked_for_in_their_own_profile_only() throws IOException {
    var rows =
        rows("| ABC-001 | x | done | `X` | interop | a.Absent1Test, a.Absent2Test (default) |");
    var reports = TestReports.of(root, STARTED);

    assertEquals(
        List.of("ABC-001: did not run: a.Absent1Test"),
        CapabilityCheck.proofs(rows, reports, "interop"));
    assertEquals(
        List.of("ABC-001: did not run: a.Absent2Test"),
        CapabilityCheck.proofs(rows, reports, "default"));
    assertEquals(List.of(), CapabilityCheck.proofs(rows, reports, "soak"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "| ABC-001 | x | finished | `X` | default | a.XTest |; ABC-001: no such state: finished",
        "| ABC-001 | x | done | `X` | nightly | a.XTest |; ABC-001: no such profile: nightly",
        "| ABC-001 | x | done | `X` | default | a.XTest (never) |; ABC-001: no such profile: never",
        "| ABC-001 | x | done | `X` | default | – |; ABC-001: is done, but names no test",
        "| ABC-001 | x | partial | – | default | a.XTest |; ABC-001: is partial, but names no API",
      })
  void a_malformed_row_is_named(String row, String problem) {
    assertEquals(List.of(problem), CapabilityCheck.form(rows(row)));
  }

  @Test
  void an_id_stands_for_one_row() {
    String row = "| ABC-001 | x | planned | – | default | – |";
    assertEquals(List.of("ABC-001: appears twice"), CapabilityCheck.form(rows(row, row)));
  }

  @Test
  void prose_and_table_heads_are_no_rows() {
    assertEquals(
        List.of(), rows("# Title", "", "| Id | Capability |", "|---|---|", "See ABC-001 | there."));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "| ABC-001 | x | done | `X` | default |",
        "| ABC-001 | x | done | `X` | default | see the tests |"
      })
  void a_row_that_cannot_be_read_is_refused(String row) {
    assertThrows(IllegalArgumentException.class, () -> rows(row));
  }

  private List<String> problems(String state, String proof) throws IOException {
    var rows = rows("| ABC-001 | x | " + state + " | `X` | default | " + proof + " |");
    return CapabilityCheck.proofs(rows, TestReports.of(root, STARTED), "default");
  }

  private static List<Capability> rows(String... lines) {
    return Capability.parse(List.of(lines));
  }

  private void report(String name, Instant written, String cases) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "<testsuite name=\"x\">" + cases + "</testsuite>");
    Files.setLastModifiedTime(file, FileTime.from(written));
  }
}
