package org.stellaops.backup.plan;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.LostCapture;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RepositoryReport;

/**
 * What a repair would store again and what is lost. It removes nothing, and guesses nothing: an
 * object is stored only if a sound one was read elsewhere.
 *
 * @param request what was asked for
 * @param found what the check found that it is made of
 * @param steps objects that are stored again
 * @param unrepaired what is damaged and has no sound copy, or cannot be set aside, each with what
 *     to do about it
 * @param lost sources of snapshots that cannot be restored after all steps are done
 * @param digest what consent is given to: the steps and everything that stays damaged
 */
public record RepairPlan(
    RepairRequest request,
    RepositoryReport found,
    List<Step> steps,
    List<Finding> unrepaired,
    List<LostCapture> lost,
    Digest digest) {
  public RepairPlan {
    steps = List.copyOf(steps);
    unrepaired = List.copyOf(unrepaired);
    lost = List.copyOf(lost);
  }

  /** With the digest that belongs to it. */
  public static RepairPlan of(
      RepairRequest request,
      RepositoryReport found,
      List<Step> steps,
      List<Finding> unrepaired,
      List<LostCapture> lost) {
    Digest digest =
        Digest.ofContent(text(steps, unrepaired, lost).getBytes(StandardCharsets.UTF_8));
    return new RepairPlan(request, found, steps, unrepaired, lost, digest);
  }

  /**
   * An object that is stored again.
   *
   * @param object its name
   * @param stored digest of its stored bytes
   * @param lengthBytes of its stored bytes
   * @param copy which of the request's copies has it, from 0 on; {@link #BROUGHT_BACK} if the store
   *     itself keeps it behind what somebody did
   * @param from the same, for humans
   * @param isThere whether something else stands under its name, which is set aside
   */
  public record Step(
      ObjectName object, Digest stored, long lengthBytes, int copy, String from, boolean isThere) {
    /** No copy: an earlier version that the store keeps. */
    public static final int BROUGHT_BACK = -1;

    /** Whether an earlier version counts again, and nothing is stored anew. */
    public boolean isBroughtBack() {
      return copy == BROUGHT_BACK;
    }

    @Override
    public String toString() {
      return "%s %s from %s%s"
          .formatted(object, stored, from, isThere ? ", and what stands there set aside" : "");
    }
  }

  /** For humans. */
  public String describe() {
    return text(steps, unrepaired, lost);
  }

  private static String text(List<Step> steps, List<Finding> unrepaired, List<LostCapture> lost) {
    StringBuilder text = new StringBuilder("repair\n");
    steps.forEach(s -> text.append("store ").append(s).append('\n'));
    unrepaired.forEach(f -> text.append("damaged ").append(f).append('\n'));
    lost.forEach(l -> text.append("lost ").append(l).append('\n'));
    return text.toString();
  }
}
