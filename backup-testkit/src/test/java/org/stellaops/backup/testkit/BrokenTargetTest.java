package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/** Each way to be broken is found by a test of the contract that is named for it. */
class BrokenTargetTest {
  @TempDir Path directory;

  @BeforeEach
  void write() throws IOException {
    Files.createDirectory(directory.resolve("system"));
    Files.write(directory.resolve("system/file"), SeededBytes.of(1, 1000));
  }

  @Test
  void a_target_that_is_not_broken_passes() {
    assertEquals(Map.of(), failures(Passing::new));
  }

  @Test
  void staging_into_what_is_live_is_found() {
    assertFound(
        "staging_does_not_touch_what_is_live",
        toy ->
            new Passing(toy) {
              @Override
              public void stage(RestoreSession session) throws IOException {
                inner.stage(session);
                inner.publish(session);
              }
            });
  }

  @Test
  void stopping_to_read_before_the_end_is_found() {
    assertFound(
        "what_is_opened_is_read_to_its_end_while_staging",
        toy ->
            new Passing(toy) {
              @Override
              public void stage(RestoreSession session) throws IOException {
                CapturedSource of = session.chain().get(0);
                try (InputStream in = session.open(of, ArtifactName.of("file.file"))) {
                  in.readNBytes(1000);
                }
              }
            });
  }

  @Test
  void an_occupied_target_without_a_blocker_is_found() {
    assertFound(
        "an_occupied_target_is_refused_when_the_restore_is_planned",
        toy ->
            new Passing(toy) {
              @Override
              public void plan(RestorePlanning planning) {
                planning.state(
                    new TargetState(
                        TargetState.Occupancy.OCCUPIED, Digest.ofContent(new byte[0]), "here"));
              }
            });
  }

  @Test
  void planning_that_prepares_is_found() {
    assertFound(
        "a_plan_changes_nothing_and_is_the_same_again",
        toy ->
            new Passing(toy) {
              @Override
              public void plan(RestorePlanning planning) throws IOException {
                inner.plan(planning);
                Files.createDirectories(inner.live());
              }
            });
  }

  @Test
  void rolling_back_nothing_is_found() {
    assertFound(
        "rolling_back_what_was_published_keeps_what_undo_promised",
        toy ->
            new Passing(toy) {
              @Override
              public void rollBack(RestoreSession session) {}
            });
  }

  @Test
  void accepting_every_kind_is_found() {
    assertFound(
        "it_accepts_the_kind_that_was_captured_and_no_unknown_one",
        toy ->
            new Passing(toy) {
              @Override
              public boolean accepts(SourceKind kind) {
                return true;
              }
            });
  }

  private void assertFound(String test, Function<ToyTarget, RestoreTarget> breaking) {
    Map<String, Throwable> failures = failures(breaking);
    assertTrue(failures.containsKey(test), failures.toString());
  }

  private Map<String, Throwable> failures(Function<ToyTarget, RestoreTarget> breaking) {
    return ContractRun.failures(() -> new BrokenTargetContract(directory, breaking));
  }

  /** Passes everything on; a test breaks one method of it. */
  private static class Passing implements RestoreTarget {
    final ToyTarget inner;

    Passing(ToyTarget inner) {
      this.inner = inner;
    }

    @Override
    public TargetDescription describe() {
      return inner.describe();
    }

    @Override
    public boolean accepts(SourceKind kind) {
      return inner.accepts(kind);
    }

    @Override
    public void plan(RestorePlanning planning) throws IOException {
      inner.plan(planning);
    }

    @Override
    public void stage(RestoreSession session) throws IOException {
      inner.stage(session);
    }

    @Override
    public void publish(RestoreSession session) throws IOException {
      inner.publish(session);
    }

    @Override
    public void rollBack(RestoreSession session) throws IOException {
      inner.rollBack(session);
    }
  }
}
