package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.testkit.Damage;

/** What a writer remembers saves space and time; losing it costs no more than those. */
class LostStateIT {
  private static final byte[] CONTENT = Fixture.random(1, 12 << 20);

  @TempDir Path root;
  private DamagedRepository repository;

  @BeforeEach
  void oneSnapshot() throws IOException {
    repository = new DamagedRepository(root);
    backUp("first");
  }

  @AfterEach
  void nothingIsLeft() {
    repository.close();
  }

  private BackupReport backUp(String name) throws IOException {
    return repository.backup(name, BytesSource.of("a", CONTENT));
  }

  private ObjectName state(int snapshot, String kind) throws IOException {
    ObjectName entry = ObjectName.of("log/host-a/%010d.entry".formatted(2 * snapshot));
    return new String(repository.raw().read(entry), StandardCharsets.US_ASCII)
        .lines()
        .filter(line -> line.startsWith("# state: " + kind + " "))
        .map(line -> ObjectName.of(line.substring(line.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(strings = {"index", "capture", "cuts"})
  void a_run_without_part_of_it_says_so_and_the_next_is_good(String kind) throws IOException {
    ObjectName lost = state(1, kind);
    Damage.flip(lost, 3000, 2)
        .during(
            repository.raw(),
            () -> {
              BackupReport second = backUp("second");
              assertEquals(Outcome.DEGRADED, second.outcome());
              assertEquals(1, second.findings().size());
              assertEquals(CoreFailure.CORRUPT_OBJECT, second.findings().get(0).code());
              assertEquals(lost.value(), second.findings().get(0).subject());
              assertEquals(kind.equals("index"), second.newBytes() > 0);
              BackupReport third = backUp("third");
              assertEquals(List.of(), third.findings());
              assertEquals(Outcome.GOOD, third.outcome());
              assertEquals(0, third.newBytes());
            });
  }

  @Test
  void what_a_run_remembers_takes_the_place_of_what_was_remembered_before() throws IOException {
    ObjectName before = state(1, "cuts");
    backUp("second");
    ObjectName after = state(2, "cuts");
    assertTrue(!before.equals(after), "sealed again");
    String entry =
        new String(
            repository.raw().read(ObjectName.of("log/host-a/0000000004.entry")),
            StandardCharsets.US_ASCII);
    assertEquals(1, entry.lines().filter(line -> line.startsWith("# state: cuts ")).count());
  }
}
