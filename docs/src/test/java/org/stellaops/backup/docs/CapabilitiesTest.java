package org.stellaops.backup.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.docs.Capability.Proof;

class CapabilitiesTest {
  private static final int CAPABILITIES = 147;

  private List<Capability> rows;

  @BeforeEach
  void read() throws IOException {
    rows = Capability.parse(Files.readAllLines(Project.root().resolve("docs/CAPABILITIES.md")));
  }

  @Test
  void every_capability_has_one_well_formed_row() {
    assertEquals(List.of(), CapabilityCheck.form(rows));
    assertEquals(CAPABILITIES, rows.size());
  }

  @Test
  void what_is_claimed_was_proved_in_this_build() throws IOException {
    var reports = TestReports.of(Project.root(), Instant.parse(Project.property("build.started")));

    assertEquals(
        List.of(), CapabilityCheck.proofs(rows, reports, Project.property("tests.profile")));
  }

  /** Tests of other profiles do not run here, but that they exist can be seen. */
  @Test
  void every_proof_is_a_test_that_exists() throws IOException {
    List<String> absent = new ArrayList<>();
    for (Capability row : rows) {
      for (Proof proof : row.proofs()) {
        if (row.claims() && !exists(proof)) {
          absent.add(row.id() + ": no source of " + proof);
        }
      }
    }
    assertEquals(List.of(), absent);
  }

  private static boolean exists(Proof proof) throws IOException {
    String outermost = proof.className().replaceFirst("\\$.*", "");
    Path source = Path.of("src/test/java", outermost.replace('.', '/') + ".java");
    try (Stream<Path> modules =
        Files.find(Project.root(), 2, (dir, a) -> Files.isRegularFile(dir.resolve("pom.xml")))) {
      return modules.anyMatch(module -> Files.isRegularFile(module.resolve(source)));
    }
  }
}
