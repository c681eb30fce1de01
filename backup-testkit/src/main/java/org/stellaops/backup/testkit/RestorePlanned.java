package org.stellaops.backup.testkit;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.spi.RestorePlanning.Undo;

/**
 * What a target said when {@link RestoreHarness#plan} asked it.
 *
 * @param state what stands there now
 * @param undo how far the restore can be taken back; IMPOSSIBLE where the target did not say
 * @param steps what will be done, in order
 * @param overwrites what will be replaced
 * @param space bytes needed beside each path, summed up
 * @param advice what the operator has to do or set afterwards
 * @param blockers why it cannot be restored there
 */
public record RestorePlanned(
    TargetState state,
    Undo undo,
    List<Step> steps,
    List<String> overwrites,
    Map<Path, Long> space,
    Map<String, String> advice,
    List<Finding> blockers) {
  public RestorePlanned {
    steps = List.copyOf(steps);
    overwrites = List.copyOf(overwrites);
    space = Map.copyOf(space);
    advice = Map.copyOf(advice);
    blockers = List.copyOf(blockers);
  }

  /** Whether nothing stands in the way. */
  public boolean isPossible() {
    return blockers.isEmpty();
  }

  /**
   * One thing that will be done.
   *
   * @param what in words
   * @param bytes how many it writes
   */
  public record Step(String what, long bytes) {}
}
