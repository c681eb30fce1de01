package org.stellaops.backup.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.Stopping;

class ParityVolumesTest {
  private static final ParitySettings SETTINGS = ParitySettings.defaults().redundancy(6, 2);

  @TempDir Path root;

  private ToyRepository some(int packs) throws IOException {
    ToyRepository repository = new ToyRepository(root);
    Random random = new Random(packs);
    for (int i = 0; i < packs; i++) {
      repository.pack(ToyRepository.random(random, 1000 + 100 * i));
    }
    return repository;
  }

  private static ToyRepository awkward(Path at, Random random) throws IOException {
    ToyRepository repository = new ToyRepository(Files.createDirectories(at));
    repository.pack(new byte[0]);
    repository.pack(ToyRepository.random(random, 1));
    repository.pack(ToyRepository.random(random, 600_000));
    for (int i = 0; i < 12; i++) {
      repository.pack(ToyRepository.random(random, random.nextInt(5000)));
    }
    repository.entry("host-a", 1, "# seq: 1\n");
    repository.put("keys/0123456789abcdef-1.age", ToyRepository.random(random, 300));
    return repository;
  }

  @Test
  void any_two_files_of_each_group_come_back_byte_for_byte() throws Exception {
    anyTwoFilesOfEachGroup(3);
  }

  @Test
  @Tag("soak")
  void any_two_files_of_each_group_come_back_byte_for_byte_many_times() throws Exception {
    anyTwoFilesOfEachGroup(60);
  }

  private void anyTwoFilesOfEachGroup(int trials) throws Exception {
    for (long seed = 0; seed < trials; seed++) {
      Random random = new Random(seed);
      ToyRepository repository = awkward(root.resolve("r" + seed), random);
      assertTrue(repository.parity().update(SETTINGS).isComplete());
      for (Group group : groups(repository)) {
        List<Member> members = new ArrayList<>(group.members());
        Collections.shuffle(members, random);
        for (Member member : members.subList(0, Math.min(2, members.size()))) {
          repository.damage(member.name(), random);
        }
      }
      assertFalse(repository.parity().verify().isIntact());
      assertTrue(repository.repair().isComplete(), "seed " + seed);
      repository.assertWhole("seed " + seed);
      assertTrue(repository.parity().verify().isIntact(), "seed " + seed);
    }
  }

  @Test
  void more_than_two_of_one_group_are_named_as_lost_and_the_others_repaired() throws Exception {
    ToyRepository repository = some(11);
    repository.parity().update(SETTINGS);
    List<Group> groups = groups(repository);
    assertEquals(2, groups.size());
    List<String> lost = groups.get(0).members().stream().limit(3).map(Member::name).toList();
    String other = groups.get(1).members().get(0).name();
    for (String name : lost) {
      Files.delete(repository.path(name));
    }
    Files.write(repository.path(other), new byte[5]);

    ParityRepairPlan plan = repository.parity().planRepair();
    assertEquals(lost.stream().sorted().toList(), plan.lost());
    assertEquals(List.of(other), plan.repairs());
    ParityRepair repair = repository.parity().repair(plan, Confirmation.of(plan.digest()));
    assertEquals(List.of(other), repair.repaired());
    assertTrue(repair.findings().stream().allMatch(f -> f.code() == ParityFailure.LOST));
    assertEquals(3, repair.findings().size());
    lost.forEach(repository.expected::remove);
    repository.assertWhole("what is lost stays away, and nothing else is touched");

    // Nothing was lost by the update: a copy that turns up again is still worth it.
    ParityUpdate update = repository.parity().update(SETTINGS);
    assertEquals(3, update.findings().size());
    assertEquals(4, repository.volumes().size());
  }

  @Test
  void a_second_update_has_nothing_to_do() throws Exception {
    ToyRepository repository = some(30);
    ParityUpdate first = repository.parity().update(SETTINGS);
    assertEquals(31, first.files());
    assertEquals(12, first.written());
    ParityUpdate second = repository.parity().update(SETTINGS);
    assertEquals(new ParityUpdate(31, 6, 0, 0, List.of()), second);
    assertEquals(second, repository.parity().update(SETTINGS.withoutReadingVolumes()));
  }

  @Test
  void small_groups_are_put_together_as_files_come() throws Exception {
    ToyRepository repository = some(0);
    Random random = new Random(5);
    for (int i = 0; i < 20; i++) {
      repository.pack(ToyRepository.random(random, 500));
      assertTrue(repository.parity().update(SETTINGS).isComplete());
      assertEquals(0, repository.parity().update(SETTINGS).written());
    }
    assertTrue(groups(repository).size() <= 7, () -> "21 files in " + repository);
    assertTrue(repository.parity().verify().isIntact());
  }

  @Test
  void more_volumes_are_added_to_the_groups_there_are() throws Exception {
    ToyRepository repository = some(5);
    repository.parity().update(SETTINGS);
    List<Path> before = repository.volumes();
    ParityUpdate update = repository.parity().update(SETTINGS.redundancy(6, 3));
    assertEquals(1, update.written());
    assertTrue(repository.volumes().containsAll(before));
    for (String name : List.copyOf(repository.expected.keySet()).subList(0, 3)) {
      Files.delete(repository.path(name));
    }
    assertTrue(repository.repair().isComplete());
    repository.assertWhole("three of six");
  }

  @Test
  void what_retention_swept_is_no_damage_and_its_groups_are_made_anew() throws Exception {
    ToyRepository repository = some(11);
    repository.parity().update(SETTINGS);
    List<Path> before = repository.volumes();
    repository.sweep(
        1, groups(repository).get(0).members().stream().limit(2).map(Member::name).toList());
    assertTrue(repository.parity().verify().isIntact());
    ParityUpdate update = repository.parity().update(SETTINGS);
    assertTrue(update.isComplete(), update.toString());
    assertTrue(repository.volumes().stream().filter(before::contains).count() <= 2);
    assertEquals(0, repository.parity().update(SETTINGS).written());
    assertEquals(repository.expected.size(), update.files());
  }

  @Test
  void what_is_missing_otherwise_keeps_its_group_until_somebody_says_so() throws Exception {
    ToyRepository repository = some(5);
    repository.parity().update(SETTINGS);
    String name = groups(repository).get(0).members().get(0).name();
    Files.delete(repository.path(name));
    ParityUpdate update = repository.parity().update(SETTINGS);
    assertEquals(ParityFailure.MISSING, update.findings().get(0).code());
    assertFalse(repository.parity().verify().isIntact());
    assertTrue(repository.parity().update(SETTINGS.forgetting(Set.of(name))).isComplete());
    assertTrue(repository.parity().verify().isIntact());
  }

  @Test
  void a_file_that_is_damaged_already_is_named_and_not_protected() throws Exception {
    ToyRepository repository = some(3);
    String pack = repository.pack(new byte[] {1, 2, 3});
    Files.write(repository.path(pack), new byte[] {1, 2, 4});
    String longer = repository.pack(new byte[] {9});
    Files.write(repository.path(longer), new byte[] {9, 9});
    String entry = repository.entry("host-a", 1, "# seq: 1\n");
    byte[] torn = Files.readAllBytes(repository.path(entry));
    torn[torn.length - 3] = 0;
    Files.write(repository.path(entry), torn);
    ParityUpdate update = repository.parity().update(SETTINGS);
    assertEquals(4, update.files());
    assertEquals(
        Set.of(pack, longer, entry),
        Set.copyOf(update.findings().stream().map(f -> f.subject()).toList()));
    assertTrue(update.findings().stream().allMatch(f -> f.code() == ParityFailure.NOT_PROTECTED));
    assertEquals(3, repository.parity().verify().unprotected().size());
  }

  @Test
  void a_flipped_byte_anywhere_in_a_volume_is_noticed_never_used_and_mended() throws Exception {
    ToyRepository repository = new ToyRepository(root);
    String pack = repository.pack(ToyRepository.random(new Random(1), 40));
    repository.parity().update(SETTINGS.redundancy(6, 1));
    Path volume = repository.volumes().get(0);
    byte[] good = Files.readAllBytes(volume);
    byte[] content = Files.readAllBytes(repository.path(pack));
    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= (byte) (1 << (i % 8));
      Files.write(volume, bad);
      Files.deleteIfExists(repository.path(pack));
      ParityRepairPlan plan = repository.parity().planRepair();
      assertEquals(List.of(), plan.repairs(), "byte " + i);
      assertFalse(plan.report().isIntact(), "byte " + i);
      if (i % 41 != 0) {
        continue;
      }
      repository.parity().repair(plan, Confirmation.of(plan.digest()));
      assertFalse(Files.exists(repository.path(pack)), "byte " + i);
      Files.write(repository.path(pack), content);
      repository.parity().update(SETTINGS.redundancy(6, 1));
      assertArrayEquals(good, Files.readAllBytes(volume), "byte " + i);
    }
  }

  @Test
  void a_plan_that_believed_a_volume_that_rotted_since_writes_nothing() throws Exception {
    ToyRepository repository = some(5);
    repository.parity().update(SETTINGS);
    String name = groups(repository).get(0).members().get(0).name();
    Files.write(repository.path(name), new byte[3]);
    ParityRepairPlan plan = repository.parity().planRepair();
    for (Path volume : repository.volumes()) {
      byte[] bytes = Files.readAllBytes(volume);
      bytes[bytes.length - 5] ^= 1;
      Files.write(volume, bytes);
    }
    ParityRepair repair = repository.parity().repair(plan, Confirmation.of(plan.digest()));
    assertEquals(ParityFailure.NOT_REPAIRED, repair.findings().get(0).code());
    assertArrayEquals(new byte[3], Files.readAllBytes(repository.path(name)));
  }

  @Test
  void consent_is_for_one_plan() throws Exception {
    ToyRepository repository = some(3);
    repository.parity().update(SETTINGS);
    ParityRepairPlan plan = repository.parity().planRepair();
    Confirmation other = Confirmation.of(Digest.ofContent(new byte[0]));
    var e =
        assertThrows(BackupException.Refused.class, () -> repository.parity().repair(plan, other));
    assertEquals(CoreFailure.PLAN_STALE, e.code());
  }

  @Test
  void a_directory_without_a_repository_and_a_second_run_are_refused() throws Exception {
    var nothing = ParityVolumes.in(root.resolve("mnt"));
    var e = assertThrows(BackupException.Refused.class, () -> nothing.update(SETTINGS));
    assertEquals(CoreFailure.NOT_A_REPOSITORY, e.code());
    ToyRepository repository = some(3);
    try (var lock = new Medium(root, step -> {}).lock()) {
      lock.tidy();
      var inUse =
          assertThrows(BackupException.Sink.class, () -> repository.parity().update(SETTINGS));
      assertEquals(ParityFailure.IN_USE, inUse.code());
    }
    assertTrue(repository.parity().update(SETTINGS).isComplete());
  }

  @Test
  void it_tells_how_far_it_is_and_can_be_stopped() throws Exception {
    ToyRepository repository = some(30);
    List<Progress> told = new ArrayList<>();
    var listener =
        new BackupListener() {
          @Override
          public void progressed(Progress progress) {
            told.add(progress);
            throw new IllegalStateException("a listener's own trouble");
          }
        };
    var stopped = new Countdown(20);
    assertThrows(
        BackupException.Stopped.class,
        () -> repository.parity().stopping(stopped).update(SETTINGS));
    assertTrue(repository.parity().listener(listener).update(SETTINGS).isComplete());
    Map<String, Progress> last = new HashMap<>();
    told.forEach(p -> last.put(p.phase(), p));
    assertEquals(100, last.get("write parity").percent().orElseThrow());
    assertTrue(last.get("write parity").objects() > 0);
  }

  /** Stops at a later check. */
  private static final class Countdown implements Stopping {
    private int left;

    Countdown(int left) {
      this.left = left;
    }

    @Override
    public void check() throws BackupException.Stopped {
      if (--left < 0) {
        throw new BackupException.Stopped(CoreFailure.CANCELLED, "stopped");
      }
    }

    @Override
    public boolean isStopping() {
      return left < 0;
    }

    @Override
    public Closeable onStop(Runnable action) {
      return () -> {};
    }
  }

  static List<Group> groups(ToyRepository repository) throws IOException {
    Map<Digest, Group> groups = new LinkedHashMap<>();
    for (Path volume : repository.volumes()) {
      try (var in = Files.newInputStream(volume)) {
        Group group = VolumeHeader.read(in, volume.toString()).group();
        groups.put(group.id(), group);
      }
    }
    return List.copyOf(groups.values());
  }
}
