package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.CopyPlan;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.RepairRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.store.ForwardingStore;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.MemorySink;

/** A copy holds what was to be copied, and lists nothing that it does not hold whole. */
class CopyIT {
  private static final int SNAPSHOTS = 3;

  @TempDir Path root;
  private final MemorySink primary = new MemorySink();
  private final MemorySink copy = new MemorySink();
  private final List<BytesSource> sources = new ArrayList<>();
  private AgeIdentity identity;
  private Host host;

  @BeforeEach
  void threeSnapshots() throws IOException {
    identity = AgeIdentity.generate();
    host = new Host(root.resolve("host"), identity.recipient(), primary).withKeys();
    byte[] shared = Fixture.random(9, 80_000);
    for (int i = 1; i <= SNAPSHOTS; i++) {
      BytesSource source = BytesSource.of("shared", shared).with("own", Fixture.random(i, 40_000));
      sources.add(source);
      host.backUp(source, "s" + i);
    }
  }

  @AfterEach
  void closed() {
    identity.close();
  }

  private CopyReport copy(CopyRequest request) throws IOException {
    try (BackupRepository repository = host.repository(identity)) {
      return repository.copy(request);
    }
  }

  private BackupRepository opened() throws IOException {
    return host.repository(identity, copy);
  }

  private static List<String> names(BackupRepository repository) throws BackupException {
    return repository.catalog().list(SnapshotFilter.all()).stream()
        .map(s -> s.name().value())
        .sorted()
        .toList();
  }

  /** Everything that a copy lists is there whole, and nothing of it is damaged. */
  private List<String> assertSound() throws IOException {
    try (BackupRepository repository = opened()) {
      assertEquals(List.of(), repository.catalog().damage());
      for (SnapshotSummary snapshot : repository.catalog().list(SnapshotFilter.all())) {
        int index = snapshot.name().value().charAt(1) - '1';
        Host.assertComplete(repository, snapshot.id(), sources.get(index), identity);
      }
      return names(repository);
    }
  }

  @Test
  void all_snapshots_are_copied_and_the_second_time_nothing_is_sent() throws IOException {
    List<Progress> told = new ArrayList<>();
    CopyPlan plan;
    CopyReport report;
    try (BackupRepository repository =
        BackupRepository.at(primary)
            .trust(Trust.owner(host.keys().id()))
            .listener(
                new BackupListener() {
                  @Override
                  public void progressed(Progress progress) {
                    told.add(progress);
                  }
                })
            .open()) {
      plan = repository.planCopy(CopyRequest.to(copy));
      assertEquals(Set.of(), copy.raw().names(), "a plan changes nothing");
      report = repository.copy(CopyRequest.to(copy).labelled("site-b"));
    }
    assertTrue(report.requireComplete().isComplete());
    assertEquals(SNAPSHOTS, report.snapshots().size());
    assertEquals(plan.objectsToSend(), report.sent());
    assertEquals(plan.bytesToSend(), report.sentBytes());
    assertEquals(report.sent(), report.compared(), "each was read back");
    assertEquals("site-b", report.label());
    Progress last = told.get(told.size() - 1);
    assertEquals(report.sentBytes(), last.bytes());
    assertEquals(100, last.percent().orElseThrow());
    assertEquals(List.of("s1", "s2", "s3"), assertSound());
    try (BackupRepository repository = opened()) {
      assertEquals(StoreRole.COPY, repository.role());
      assertEquals("site-b", repository.label());
      assertTrue(repository.check(Verification.full(identity)).isIntact());
      assertEquals(List.of(), repository.catalog().runs());
      assertEquals(
          List.of("host-a/1", "host-a/3", "host-a/5"),
          repository.catalog().notHeld().stream().map(Object::toString).toList(),
          "runs that ended well are of no use elsewhere");
    }
    CopyReport again = copy(CopyRequest.to(copy));
    assertEquals(0, again.sent());
    assertEquals(plan.objectsToSend(), again.there());
  }

  @Test
  void one_snapshot_is_copied_with_what_it_needs_and_no_more() throws IOException {
    copy(CopyRequest.to(copy).only(SnapshotRef.named("s2")));
    assertEquals(List.of("s2"), assertSound());
    Set<ObjectName> own = new HashSet<>(copy.raw().names());
    own.removeAll(primary.raw().names());
    assertEquals(Set.of(), own, "nothing is there that the primary does not have");
    try (BackupRepository repository = opened()) {
      assertTrue(repository.check(Verification.full(identity)).isIntact());
      assertEquals(0, repository.check(Verification.stored()).unnamed().objects());
    }
    copy(CopyRequest.to(copy).only(SnapshotRef.named("s3")));
    assertEquals(List.of("s2", "s3"), assertSound());
  }

  @Test
  void whatever_fails_the_copy_lists_only_what_it_holds_and_the_next_one_sends_the_rest()
      throws IOException {
    assertFailuresHarmNothing(3);
  }

  @Test
  @Tag("soak")
  void the_same_at_every_operation() throws IOException {
    assertFailuresHarmNothing(1);
  }

  private void assertFailuresHarmNothing(int step) throws IOException {
    FaultPlan none = FaultPlan.none();
    long all = copy(CopyRequest.to(none.on(copy))).sent();
    SortedMap<ObjectName, byte[]> whole = copy.snapshot();
    int objects = whole.size();
    Set<Integer> listed = new HashSet<>();
    long first = (none.operations() - 1) % step; // so that the last one is among them
    for (long operation = first; operation < none.operations(); operation += step) {
      for (FaultPlan.When when : FaultPlan.When.values()) {
        copy.reset(new TreeMap<>());
        FaultPlan plan = FaultPlan.failing(operation, when).andEverAfter();
        assertThrows(
            BackupException.class, () -> copy(CopyRequest.to(plan.on(copy))), plan.toString());
        int before = copy.raw().names().size();
        if (copy.raw().names().contains(ObjectName.of("repository.json"))) {
          listed.add(listedWhole());
        }
        CopyReport second = copy(CopyRequest.to(copy));
        assertTrue(second.isComplete(), plan.toString());
        long already = Math.max(0, before - (objects - all));
        assertEquals(all - already, second.sent(), "the rest: " + plan);
        assertEquals(whole.keySet(), copy.raw().names());
      }
    }
    assertEquals(Set.of(0, 1, 2, 3), listed, "it failed between any two of them");
  }

  /** How many snapshots it lists, all of which are there whole. */
  private int listedWhole() throws IOException {
    try (BackupRepository repository = opened()) {
      assertEquals(List.of(), repository.catalog().damage());
      var reports = repository.verifyAll(SnapshotFilter.all(), Verification.stored());
      reports.forEach(r -> assertTrue(r.isIntact(), r.toString()));
      return reports.size();
    }
  }

  @Test
  void what_is_in_the_way_is_a_conflict_and_is_not_replaced() throws IOException {
    copy(CopyRequest.to(copy));
    SortedMap<ObjectName, byte[]> whole = copy.snapshot();
    for (String kind : List.of("w/host-a/packs", "w/host-a/manifests", "log/host-a", "keys/")) {
      copy.reset(whole);
      ObjectName victim =
          whole.keySet().stream().filter(n -> n.value().startsWith(kind)).findFirst().orElseThrow();
      byte[] other = whole.getOrDefault(victim, new byte[0]).clone();
      other[other.length / 2] ^= 1;
      copy.raw().write(victim, other);
      var same =
          assertThrows(
              BackupException.Refused.class,
              () -> copy(CopyRequest.to(copy).comparingEverything()));
      assertEquals(CoreFailure.COPY_CONFLICT, same.code());
      assertTrue(same.getMessage().contains(victim.value()), same.getMessage());
      copy.raw().write(victim, new byte[] {1});
      var shorter = assertThrows(BackupException.Refused.class, () -> copy(CopyRequest.to(copy)));
      assertEquals(CoreFailure.COPY_CONFLICT, shorter.code());
      assertArrayEquals(new byte[] {1}, copy.raw().read(victim), "nothing is replaced");
      try (BackupRepository repository = host.repository(identity)) {
        assertEquals(List.of(victim), repository.planCopy(CopyRequest.to(copy)).conflicts());
      }
    }
  }

  @Test
  void what_is_damaged_here_stays_here_with_what_builds_on_it() throws IOException {
    ObjectName victim =
        primary.raw().names().stream()
            .filter(n -> n.value().contains("/manifests/"))
            .findFirst()
            .orElseThrow();
    byte[] bytes = primary.raw().read(victim);
    bytes[10] ^= 1;
    primary.raw().write(victim, bytes);
    CopyReport report = copy(CopyRequest.to(copy));
    assertFalse(report.isComplete());
    assertEquals(1, report.incomplete().size());
    assertEquals(SNAPSHOTS - 1, report.snapshots().size());
    assertEquals(victim.value(), report.findings().get(0).subject());
    assertFalse(copy.raw().names().contains(victim));
    assertEquals(SNAPSHOTS - 1, assertSound().size());
    assertThrows(BackupException.Corrupt.class, report::requireComplete);
  }

  @Test
  void primaries_and_other_repositories_are_no_targets_and_a_copy_takes_no_commits()
      throws IOException {
    var itself = assertThrows(BackupException.Refused.class, () -> copy(CopyRequest.to(primary)));
    assertEquals(CoreFailure.COPY_CONFLICT, itself.code());
    MemorySink others = new MemorySink();
    new Host(root.resolve("other"), identity.recipient(), others)
        .withKeys()
        .backUp(sources.get(0), "x");
    var other = assertThrows(BackupException.Refused.class, () -> copy(CopyRequest.to(others)));
    assertEquals(CoreFailure.WRONG_REPOSITORY, other.code());
    copy(CopyRequest.to(copy));
    Map<ObjectName, byte[]> before = copy.snapshot();
    var refused =
        assertThrows(BackupException.Refused.class, () -> host.backUp(sources.get(0), "s4", copy));
    assertEquals(CoreFailure.NOT_PRIMARY, refused.code());
    assertEquals(before.keySet(), copy.raw().names());
  }

  @Test
  void a_copy_repairs_its_primary() throws IOException {
    copy(CopyRequest.to(copy));
    ObjectName victim =
        primary.raw().names().stream()
            .filter(n -> n.value().contains("/packs/"))
            .findFirst()
            .orElseThrow();
    byte[] sound = primary.raw().read(victim);
    primary.raw().remove(victim);
    try (BackupEngine engine = host.with(sources.get(0), primary).open()) {
      var plan = engine.planRepair(RepairRequest.of(Verification.stored()).from(copy));
      engine.repair(plan, Confirmation.of(plan.digest()));
    }
    assertArrayEquals(sound, primary.raw().read(victim));
  }

  /** A store that takes objects from the primary without their passing through here. */
  private BackupSink copyingByItself() {
    return copy.with(
        inner -> {
          StoreAbility.ServerCopy byItself =
              (from, name) -> {
                inner.put(name, ObjectBody.of(primary.raw().read(name)));
                return true;
              };
          return new ForwardingStore(inner) {
            @Override
            public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
              return Optional.of(byItself).filter(type::isInstance).map(type::cast);
            }
          };
        });
  }

  @Test
  void a_store_that_copies_by_itself_is_compared_all_the_same() throws IOException {
    CopyReport report = copy(CopyRequest.to(copyingByItself())).requireComplete();
    assertEquals(report.sent(), report.byStore());
    assertEquals(report.sent(), report.compared());
    assertEquals(List.of("s1", "s2", "s3"), assertSound());
    copy.reset(new TreeMap<>());
    ObjectName victim = aPack();
    byte[] damaged = primary.raw().read(victim);
    damaged[7] ^= 1;
    primary.raw().write(victim, damaged);
    CopyReport second = copy(CopyRequest.to(copyingByItself()));
    assertFalse(second.isComplete());
    assertEquals(victim.value(), second.findings().get(0).subject());
    assertFalse(copy.raw().names().contains(victim), "it is not left under its name");
    assertSound();
  }

  private ObjectName aPack() throws IOException {
    return primary.raw().names().stream()
        .filter(n -> n.value().contains("/packs/"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void what_an_interrupted_copy_left_is_compared_before_anything_names_it() throws IOException {
    ObjectName left = aPack();
    copy(CopyRequest.to(copy));
    for (ObjectName name : copy.raw().names()) {
      if (name.value().startsWith("log/host-a/")) {
        copy.raw().remove(name);
      }
    }
    byte[] other = copy.raw().read(left);
    other[7] ^= 1;
    copy.raw().write(left, other);
    var conflict = assertThrows(BackupException.Refused.class, () -> copy(CopyRequest.to(copy)));
    assertEquals(CoreFailure.COPY_CONFLICT, conflict.code());
    assertSound();
  }
}
