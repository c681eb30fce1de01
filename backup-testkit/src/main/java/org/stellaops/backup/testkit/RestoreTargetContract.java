package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.spi.RestorePlanning.Undo;
import org.stellaops.backup.spi.RestoreTarget;

/**
 * What every {@link RestoreTarget} has to do. A subclass captures something, says how to make
 * targets, and looks at what stands in them.
 */
public abstract class RestoreTargetContract {
  /** For subclasses. */
  protected RestoreTargetContract() {}

  /** What is to be restored, at least one artifact of it not empty. */
  protected abstract Captured captured() throws Exception;

  /** A target where nothing stands; every call gives a place of its own. */
  protected abstract RestoreTarget newEmptyTarget() throws Exception;

  /** A target where something else stands; every call gives a place of its own. */
  protected abstract RestoreTarget newOccupiedTarget() throws Exception;

  /**
   * All that is live in the target, in a form that {@code equals} compares: file names with
   * digests. What is staged beside it does not count.
   */
  protected abstract Object live(RestoreTarget target) throws Exception;

  /** Fails unless what is live in the target equals what was captured. */
  protected abstract void assertRestored(RestoreTarget target) throws Exception;

  /** How the tests restore; overridden to give endpoints of earlier sources. */
  protected RestoreHarness harness(RestoreTarget target) throws Exception {
    return RestoreHarness.of(target, captured());
  }

  @Test
  public void it_describes_itself_always_alike() throws Exception {
    RestoreTarget target = newEmptyTarget();

    assertFalse(target.describe().location().isBlank());
    assertEquals(target.describe(), target.describe());
    assertNotEquals(target.describe(), newEmptyTarget().describe(), "another place");
  }

  @Test
  public void it_accepts_the_kind_that_was_captured_and_no_unknown_one() throws Exception {
    RestoreTarget target = newEmptyTarget();

    assertTrue(target.accepts(captured().source().header().kind()));
    assertFalse(target.accepts(SourceKind.of("a-kind-nobody-knows/9999")));
  }

  @Test
  public void what_was_captured_is_restored() throws Exception {
    RestoreTarget target = newEmptyTarget();

    harness(target).restore();

    assertRestored(target);
  }

  @Test
  public void a_plan_changes_nothing_and_is_the_same_again() throws Exception {
    for (RestoreTarget target : new RestoreTarget[] {newEmptyTarget(), newOccupiedTarget()}) {
      Object before = live(target);

      RestorePlanned planned = harness(target).plan();

      assertEquals(planned, harness(target).plan());
      assertEquals(before, live(target));
    }
  }

  @Test
  public void an_empty_target_can_be_restored_to() throws Exception {
    RestorePlanned planned = harness(newEmptyTarget()).plan();

    assertTrue(planned.isPossible(), planned.blockers().toString());
    assertTrue(
        Set.of(Occupancy.ABSENT, Occupancy.EMPTY).contains(planned.state().occupancy()),
        planned.state().toString());
  }

  @Test
  public void an_occupied_target_is_refused_when_the_restore_is_planned() throws Exception {
    RestoreTarget target = newOccupiedTarget();
    Object before = live(target);

    RestorePlanned planned = harness(target).plan();

    assertFalse(planned.isPossible(), "no blocker although something stands there");
    assertFalse(
        Set.of(Occupancy.ABSENT, Occupancy.EMPTY).contains(planned.state().occupancy()),
        planned.state().toString());
    assertEquals(before, live(target));
  }

  @Test
  public void staging_does_not_touch_what_is_live() throws Exception {
    RestoreTarget target = newEmptyTarget();
    Object before = live(target);

    harness(target).stage();

    assertEquals(before, live(target));
  }

  @Test
  public void rolling_back_what_was_staged_leaves_all_as_before() throws Exception {
    RestoreTarget target = newEmptyTarget();
    Object before = live(target);
    RestorePlanned planned = harness(target).plan();
    RestoreHarness harness = harness(target);
    harness.stage();

    harness.rollBack();

    assertEquals(before, live(target));
    assertEquals(planned, harness(target).plan());
  }

  @Test
  public void rolling_back_what_was_published_keeps_what_undo_promised() throws Exception {
    RestoreTarget target = newEmptyTarget();
    Object before = live(target);
    RestoreHarness harness = harness(target);
    if (harness.plan().undo() == Undo.IMPOSSIBLE) {
      harness.stage();
      harness.publish();
      assertRestored(target);
      return;
    }
    harness.stage();
    harness.publish();

    harness.rollBack();

    assertEquals(before, live(target));
  }

  @Test
  public void rolling_back_at_once_or_twice_does_nothing_more() throws Exception {
    RestoreTarget target = newEmptyTarget();
    Object before = live(target);
    RestoreHarness harness = harness(target);

    harness.rollBack();
    assertEquals(before, live(target));
    harness.stage();
    harness.rollBack();
    harness.rollBack();

    assertEquals(before, live(target));
  }

  @Test
  public void each_step_can_be_done_twice() throws Exception {
    RestoreTarget target = newEmptyTarget();
    RestoreHarness harness = harness(target);

    harness.stage();
    harness.stage();
    harness.publish();
    harness.publish();

    assertRestored(target);
  }

  @Test
  public void a_restore_can_follow_one_that_was_rolled_back() throws Exception {
    RestoreTarget target = newEmptyTarget();
    RestoreHarness harness = harness(target);
    harness.stage();
    harness.rollBack();

    harness.restore();

    assertRestored(target);
  }

  @Test
  public void what_is_opened_is_read_to_its_end_while_staging() throws Exception {
    RestoreHarness harness = harness(newEmptyTarget());

    harness.stage();

    assertEquals(harness.opened(), harness.verified(), "bytes are trusted before their end");
  }

  @Test
  public void an_artifact_that_is_damaged_fails_the_staging() throws Exception {
    RestoreTarget intact = newEmptyTarget();
    RestoreHarness good = harness(intact);
    good.restore();
    Set<ArtifactName> read = good.opened();
    assertFalse(read.isEmpty(), "the target read no artifact");
    for (CapturedArtifact artifact : captured().source().artifacts()) {
      if (read.contains(artifact.name())) {
        assertDamageIsFound(artifact);
      }
    }
  }

  @Test
  public void a_stopped_staging_can_be_rolled_back() throws Exception {
    RestoreTarget target = newEmptyTarget();
    Object before = live(target);
    RestoreHarness harness = harness(target).stopAfter(1);

    assertThrows(IOException.class, harness::stage);
    harness.rollBack();

    assertEquals(before, live(target));
  }

  private void assertDamageIsFound(CapturedArtifact artifact) throws Exception {
    long last = artifact.plainBytes() - 1;
    if (last >= 0) {
      assertFound(artifact, ArtifactDamage.flip(0), "its first byte flipped");
      assertFound(artifact, ArtifactDamage.flip(last), "its last byte flipped");
      assertFound(artifact, ArtifactDamage.truncate(last), "one byte short");
    }
    assertFound(artifact, ArtifactDamage.extend((byte) 0), "one byte too long");
  }

  private void assertFound(CapturedArtifact artifact, ArtifactDamage damage, String how)
      throws Exception {
    String what = artifact.name() + ", " + how;
    RestoreTarget target = newEmptyTarget();
    Object before = live(target);
    RestoreHarness harness = harness(target).damage(artifact.name().value(), damage);

    assertThrows(BackupException.class, harness::stage, what);

    assertEquals(before, live(target), what);
    harness.rollBack();
    assertEquals(before, live(target), what);
  }
}
