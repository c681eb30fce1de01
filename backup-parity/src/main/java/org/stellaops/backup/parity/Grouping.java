package org.stellaops.backup.parity;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.parity.GroupEncoder.Candidate;

/**
 * Decides which groups stay, which give way, and which files make new ones. Pure.
 *
 * <p>A group of which a file is missing that nobody removed on purpose stays as it is: its volumes
 * may bring the file back. A group gives way when files of it were removed, or when it has less
 * than half of what a group may have and there is company for its files. It gives way last: when
 * each of its files is in another whole group. So an update that was killed goes on where it was,
 * and a second one has nothing to do.
 */
final class Grouping {
  private final Map<String, Long> there;
  private final Set<String> removed;
  private final ParitySettings settings;
  private final Map<String, Set<Member>> records;
  private final List<ShelvedGroup> held = new ArrayList<>();
  private final List<ShelvedGroup> kept = new ArrayList<>();
  private final List<ShelvedGroup> leaving = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();
  private final Set<String> covered = new HashSet<>();
  private final Map<String, Candidate> fresh = new TreeMap<>();

  Grouping(Inventory inventory, Shelf shelf, Set<String> removed, ParitySettings settings) {
    this.there = inventory.sizes();
    this.removed = removed;
    this.settings = settings;
    this.records = shelf.members();
    decide(shelf.groups());
  }

  /** Groups of which something is missing: nobody touches them. */
  List<ShelvedGroup> held() {
    return held;
  }

  /** Groups that stay; volumes of them may be missing. */
  List<ShelvedGroup> kept() {
    return kept;
  }

  /** Groups that give way when each of their files is in another. */
  List<ShelvedGroup> leaving() {
    return leaving;
  }

  /** What is missing. */
  List<Finding> findings() {
    return findings;
  }

  /** New groups: files of similar size together, for a volume is as long as the largest. */
  List<List<Candidate>> made() {
    List<Candidate> sorted = new ArrayList<>(fresh.values());
    sorted.sort(
        Comparator.comparingLong(Candidate::bytes).reversed().thenComparing(Candidate::name));
    List<List<Candidate>> groups = new ArrayList<>();
    for (int i = 0; i < sorted.size(); i += settings.files()) {
      groups.add(List.copyOf(sorted.subList(i, Math.min(sorted.size(), i + settings.files()))));
    }
    return groups;
  }

  private void decide(List<ShelvedGroup> shelved) {
    List<ShelvedGroup> groups = new ArrayList<>(shelved);
    groups.sort(
        Comparator.comparingInt((ShelvedGroup g) -> g.group().members().size())
            .reversed()
            .thenComparing(g -> g.group().id()));
    List<ShelvedGroup> thin = new ArrayList<>();
    for (ShelvedGroup group : groups) {
      if (!missing(group).isEmpty()) {
        held.add(group);
        cover(group);
      } else if (!isWhole(group)) {
        leaving.add(group);
      } else if (2 * group.group().members().size() < settings.files()) {
        thin.add(group);
      } else {
        keep(group);
      }
    }
    held.forEach(this::note);
    settle(thin);
  }

  private void settle(List<ShelvedGroup> thin) {
    leaving.forEach(this::renew);
    there.forEach(
        (name, bytes) -> {
          if (!records.containsKey(name) || settings.forgotten().contains(name)) {
            offer(name, bytes, null);
          }
        });
    List<ShelvedGroup> open = thin.stream().filter(this::addsSomething).toList();
    thin.stream().filter(g -> !addsSomething(g)).forEach(leaving::add);
    int files = open.stream().mapToInt(g -> g.group().members().size()).sum();
    boolean isFewer = (files + settings.files() - 1) / settings.files() < open.size();
    if (fresh.isEmpty() && !isFewer) {
      open.forEach(this::keep);
    } else {
      leaving.addAll(open);
      open.forEach(this::renew);
    }
  }

  /** Keeps a group, unless others hold each of its files: then a killed update made it needless. */
  private void keep(ShelvedGroup group) {
    if (addsSomething(group)) {
      kept.add(group);
      cover(group);
    } else {
      leaving.add(group);
    }
  }

  private boolean addsSomething(ShelvedGroup group) {
    return group.group().members().stream()
        .anyMatch(m -> !covered.contains(m.name()) && !fresh.containsKey(m.name()));
  }

  private void cover(ShelvedGroup group) {
    group.group().members().stream().filter(this::isThere).map(Member::name).forEach(covered::add);
  }

  private void renew(ShelvedGroup group) {
    for (Member member : group.group().members()) {
      if (isThere(member)) {
        offer(member.name(), member.bytes(), member.stored());
      }
    }
  }

  private void offer(String name, long bytes, @Nullable Digest expected) {
    if (!covered.contains(name)) {
      fresh.putIfAbsent(name, new Candidate(name, bytes, expected));
    }
  }

  private boolean isWhole(ShelvedGroup group) {
    return group.group().members().stream().allMatch(this::isThere);
  }

  private boolean isThere(Member member) {
    Long bytes = there.get(member.name());
    return bytes != null
        && bytes == member.bytes()
        && !settings.forgotten().contains(member.name());
  }

  private List<Member> missing(ShelvedGroup group) {
    return group.group().members().stream()
        .filter(m -> !isThere(m) && !isGoneOnPurpose(m) && !isOutOfDate(m))
        .toList();
  }

  private boolean isGoneOnPurpose(Member member) {
    return settings.forgotten().contains(member.name())
        || (!there.containsKey(member.name()) && removed.contains(member.name()));
  }

  /** Whether another record of the same file fits what is there. */
  private boolean isOutOfDate(Member member) {
    return records.getOrDefault(member.name(), Set.of()).stream().anyMatch(this::isThere);
  }

  private void note(ShelvedGroup group) {
    for (Member member : missing(group)) {
      Long bytes = there.get(member.name());
      findings.add(
          new Finding(
              ParityFailure.MISSING,
              member.name(),
              bytes == null
                  ? "is missing, and retention did not remove it; its group stays as it is"
                  : "has %d bytes, expected were %d; its group stays as it is"
                      .formatted(bytes, member.bytes())));
    }
  }
}
