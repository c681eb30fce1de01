package org.stellaops.backup.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.SourceDescription;

/** What can be seen of a plan without keys: the rest of the problems is always the same three. */
class BackupPlanTest {
  private record Fake(Stage stage, String... before) implements BackupSource {
    @Override
    public SourceDescription describe() {
      SourceName[] names = new SourceName[before.length];
      for (int i = 0; i < before.length; i++) {
        names[i] = SourceName.of(before[i]);
      }
      return SourceDescription.of("fake/1", Component.of("config"), stage).after(names);
    }

    @Override
    public void check(Checks checks) {}

    @Override
    public void capture(CaptureSession session) {}
  }

  private static List<String> problems(BackupPlan.Builder plan) {
    List<String> all = assertThrows(PlanInvalid.class, plan::build).problems();
    return all.stream()
        .filter(p -> !p.startsWith("no recipient") && !p.startsWith("no writer"))
        .filter(p -> !p.startsWith("no sink"))
        .toList();
  }

  @Test
  void every_source_that_is_missing_is_named() {
    List<String> problems =
        problems(
            BackupPlan.named("p")
                .source("a", new Fake(Stage.FILES, "gone"))
                .source("b", new Fake(Stage.FILES, "away", "a")));
    assertEquals(2, problems.size(), problems.toString());
    assertTrue(problems.toString().contains("'a' comes after 'gone'"), problems.toString());
    assertTrue(problems.toString().contains("'b' comes after 'away'"), problems.toString());
  }

  @Test
  void sources_that_wait_for_each_other_are_a_problem() {
    List<String> problems =
        problems(
            BackupPlan.named("p")
                .source("a", new Fake(Stage.FILES, "b"))
                .source("b", new Fake(Stage.FILES, "a"))
                .source("c", new Fake(Stage.KEYS)));
    assertEquals(List.of("sources wait for each other: [a, b]"), problems);
  }

  @Test
  void names_that_differ_in_case_only_are_a_problem() {
    assertEquals(
        1,
        problems(
                BackupPlan.named("p")
                    .source("files", new Fake(Stage.FILES))
                    .source("FILES", new Fake(Stage.FILES)))
            .size());
  }

  @Test
  void limits_at_their_bounds_are_none() {
    for (Limits limits :
        List.of(
            new Limits(32 << 20, 1, 1, 8 << 10),
            new Limits(Long.MAX_VALUE, 64, 19, 2 << 20),
            Limits.defaults().throttle(1024))) {
      assertEquals(
          List.of(),
          problems(BackupPlan.named("p").source("a", new Fake(Stage.FILES)).limits(limits)));
    }
    for (Limits limits :
        List.of(
            Limits.defaults().memory((32 << 20) - 1),
            Limits.defaults().parallelism(65),
            Limits.defaults().compression(0),
            Limits.defaults().blocks(4096),
            Limits.defaults().blocks(96 << 10),
            Limits.defaults().throttle(1023))) {
      assertEquals(
          1,
          problems(BackupPlan.named("p").source("a", new Fake(Stage.FILES)).limits(limits)).size(),
          limits.toString());
    }
  }

  @Test
  void settings_of_runs_at_their_bounds_are_no_problem_and_beyond_them_they_are() {
    RunSettings usual = RunSettings.defaults();
    for (RunSettings runs :
        List.of(
            usual,
            usual.lease(Duration.ofSeconds(1)),
            usual.lease(Duration.ofDays(1)),
            usual.reuse(Duration.ofDays(1)))) {
      assertEquals(
          List.of(), problems(BackupPlan.named("p").source("a", new Fake(Stage.FILES)).runs(runs)));
    }
    for (RunSettings runs :
        List.of(
            usual.lease(Duration.ofMillis(999)),
            usual.lease(Duration.ofMillis(1_500)),
            usual.lease(Duration.ofDays(1).plusSeconds(1)),
            usual.reuse(Duration.ofSeconds(-1)))) {
      assertEquals(
          1,
          problems(BackupPlan.named("p").source("a", new Fake(Stage.FILES)).runs(runs)).size(),
          runs.toString());
    }
  }
}
