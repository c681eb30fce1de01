package org.stellaops.backup.parity;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.stellaops.backup.model.Digest;

/** What a repair would write, and what it cannot bring back. Immutable. */
public final class ParityRepairPlan {
  private final ParityReport report;
  private final List<GroupRepair> repairs;

  ParityRepairPlan(ParityReport report, List<GroupRepair> repairs) {
    this.report = report;
    this.repairs = List.copyOf(repairs);
  }

  /** What was found. */
  public ParityReport report() {
    return report;
  }

  /** Files that would be written, in this order. */
  public List<String> repairs() {
    return repairs.stream().flatMap(r -> r.wanted().stream()).map(Member::name).toList();
  }

  /** Damaged files that parity cannot bring back. */
  public List<String> lost() {
    return report.damaged().stream()
        .filter(d -> !d.isRepairable())
        .map(ParityReport.Damage::name)
        .toList();
  }

  /** Stands for exactly these files with exactly this content; a consent names it. */
  public Digest digest() {
    StringBuilder text = new StringBuilder("stella-backup parity repair 1\n");
    for (GroupRepair repair : repairs) {
      repair.wanted().forEach(m -> text.append(m).append('\n'));
    }
    lost().forEach(name -> text.append("lost  ").append(name).append('\n'));
    return Digest.ofContent(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  List<GroupRepair> groups() {
    return repairs;
  }

  /**
   * What is done for one group.
   *
   * @param group its members
   * @param volumes volumes that were whole
   * @param absent numbers of members that cannot be read
   * @param wanted members that are to be written, some of those
   */
  record GroupRepair(Group group, List<Volume> volumes, List<Integer> absent, List<Member> wanted) {
    GroupRepair {
      volumes = List.copyOf(volumes);
      absent = List.copyOf(absent);
      wanted = List.copyOf(wanted);
    }
  }
}
