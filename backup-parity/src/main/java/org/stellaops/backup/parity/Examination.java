package org.stellaops.backup.parity;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.stellaops.backup.parity.ParityRepairPlan.GroupRepair;
import org.stellaops.backup.parity.ParityReport.Damage;

/** Compares every protected file and every volume with what was recorded; changes nothing. */
final class Examination {
  private final Medium medium;
  private final Meter meter;

  /** Members whose bytes are not there, for whatever reason. */
  private final Set<Member> absent = new HashSet<>();

  /** Those of them that are damage, with what is wrong. */
  private final Map<Member, String> damaged = new HashMap<>();

  private final Set<Member> restored = new HashSet<>();
  private long bytes;

  Examination(Medium medium, Meter meter) {
    this.medium = medium;
    this.meter = meter;
  }

  ParityRepairPlan execute() throws IOException {
    medium.requireRepository();
    meter.begin("verify parity", Shelf.storedBytes(medium));
    Shelf shelf = Shelf.read(medium, true, meter);
    meter.end();
    Inventory inventory = Inventory.of(medium);
    Map<String, Set<Member>> members = shelf.members();
    Set<String> removed = Sweeps.read(medium, inventory, members);
    compare(members, inventory, removed);
    List<GroupRepair> repairs = plan(shelf);
    List<String> unprotected =
        inventory.sizes().keySet().stream().filter(n -> !members.containsKey(n)).toList();
    return new ParityRepairPlan(
        new ParityReport(
            members.size(),
            shelf.groups().size(),
            bytes + shelf.bytes(),
            damages(),
            shelf.findings(),
            unprotected),
        repairs);
  }

  private void compare(Map<String, Set<Member>> members, Inventory inventory, Set<String> removed)
      throws IOException {
    meter.begin(
        "verify protected files",
        inventory.sizes().entrySet().stream()
            .filter(f -> members.containsKey(f.getKey()))
            .mapToLong(Map.Entry::getValue)
            .sum());
    for (Map.Entry<String, Set<Member>> file : members.entrySet()) {
      if (!inventory.sizes().containsKey(file.getKey()) && removed.contains(file.getKey())) {
        absent.addAll(file.getValue());
      } else {
        compare(file.getValue());
      }
      meter.add(0, 1);
    }
    meter.end();
  }

  /** Of several records of one file the one that fits is right, and the others are out of date. */
  private void compare(Set<Member> records) throws IOException {
    Map<Member, String> wrong = new HashMap<>();
    for (Member member : records) {
      Optional<String> found =
          StoredFile.examine(medium.resolve(member.name()), member.bytes(), member.stored(), meter);
      bytes += found.isPresent() ? 0 : member.bytes();
      found.ifPresent(text -> wrong.put(member, text));
    }
    absent.addAll(wrong.keySet());
    if (wrong.size() == records.size()) {
      damaged.putAll(wrong);
    }
  }

  /** A file that one group brings back helps the others that hold it. */
  private List<GroupRepair> plan(Shelf shelf) {
    Set<String> ambiguous = ambiguous();
    List<GroupRepair> repairs = new ArrayList<>();
    boolean isFurther = true;
    while (isFurther) {
      isFurther = false;
      for (ShelvedGroup shelved : shelf.groups()) {
        Optional<GroupRepair> repair = repair(shelved, ambiguous);
        repair.ifPresent(repairs::add);
        repair.ifPresent(r -> restored.addAll(r.wanted()));
        isFurther |= repair.isPresent();
      }
    }
    return repairs;
  }

  private Optional<GroupRepair> repair(ShelvedGroup shelved, Set<String> ambiguous) {
    List<Integer> gone = new ArrayList<>();
    List<Member> wanted = new ArrayList<>();
    List<Member> members = shelved.group().members();
    for (int i = 0; i < members.size(); i++) {
      Member member = members.get(i);
      if (absent.contains(member) && !restored.contains(member)) {
        gone.add(i);
        if (damaged.containsKey(member) && !ambiguous.contains(member.name())) {
          wanted.add(member);
        }
      }
    }
    return wanted.isEmpty() || gone.size() > shelved.volumes().size()
        ? Optional.empty()
        : Optional.of(
            new GroupRepair(shelved.group(), List.copyOf(shelved.volumes()), gone, wanted));
  }

  /** Files of which groups say different things, while none of it is there: nobody can choose. */
  private Set<String> ambiguous() {
    Set<String> once = new HashSet<>();
    Set<String> twice = new HashSet<>();
    for (Member member : damaged.keySet()) {
      if (!once.add(member.name())) {
        twice.add(member.name());
      }
    }
    return twice;
  }

  private List<Damage> damages() {
    Map<String, Damage> damages = new TreeMap<>();
    damaged.forEach(
        (member, wrong) ->
            damages.put(
                member.name(), new Damage(member.name(), restored.contains(member), wrong)));
    return List.copyOf(damages.values());
  }
}
