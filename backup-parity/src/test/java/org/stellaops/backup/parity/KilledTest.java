package org.stellaops.backup.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.Confirmation;

/** A process that ends at a step leaves what the next one goes on from. */
class KilledTest {
  private static final ParitySettings SETTINGS = ParitySettings.defaults().redundancy(5, 2);
  private static final int SAMPLED = 5;

  @TempDir Path root;

  @Test
  void an_update_that_is_killed_is_finished_by_the_next() throws Exception {
    updates(SAMPLED);
  }

  @Test
  void a_repair_that_is_killed_is_finished_by_the_next() throws Exception {
    repairs(SAMPLED);
  }

  @Test
  @Tag("soak")
  void at_every_step() throws Exception {
    updates(1);
    repairs(1);
  }

  private void updates(int every) throws Exception {
    boolean isKilled = true;
    for (int step = 0; isKilled; step += every) {
      ToyRepository repository = changed(root.resolve("update" + every + "-" + step));
      isKilled = isKilledAt(step, repository, p -> p.update(SETTINGS));
      repository.assertWhole("killed at " + step);
      // Whatever was protected before still is: the old volumes go last.
      String old = "repository.json";
      Files.delete(repository.path(old));
      assertTrue(repository.repair().isComplete(), "killed at " + step);
      ParityUpdate update = repository.parity().update(SETTINGS);
      assertTrue(update.isComplete(), "killed at " + step + ": " + update);
      assertEquals(repository.expected.size(), update.files());
      assertEquals(2 * update.groups(), repository.volumes().size(), "killed at " + step);
      assertEquals(0, repository.parity().update(SETTINGS).written());
      damageTwoOfEach(repository, step);
      assertTrue(repository.repair().isComplete(), "killed at " + step);
      repository.assertWhole("killed at " + step);
    }
  }

  private void repairs(int every) throws Exception {
    boolean isKilled = true;
    for (int step = 0; isKilled; step += every) {
      ToyRepository repository = changed(root.resolve("repair" + every + "-" + step));
      repository.parity().update(SETTINGS);
      damageTwoOfEach(repository, step);
      ParityRepairPlan plan = repository.parity().planRepair();
      isKilled = isKilledAt(step, repository, p -> p.repair(plan, Confirmation.of(plan.digest())));
      assertTrue(repository.repair().isComplete(), "killed at " + step);
      repository.assertWhole("killed at " + step);
      assertTrue(repository.parity().verify().isIntact(), "killed at " + step);
      assertEquals(0, repository.parity().update(SETTINGS).written());
    }
  }

  /** Groups with something removed, something new, and a volume that is damaged. */
  private static ToyRepository changed(Path at) throws IOException {
    ToyRepository repository = new ToyRepository(Files.createDirectories(at));
    Random random = new Random(3);
    List<String> first = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      first.add(repository.pack(ToyRepository.random(random, 10 + random.nextInt(300))));
    }
    repository.parity().update(SETTINGS);
    repository.sweep(1, first.subList(0, 2));
    repository.pack(ToyRepository.random(random, 200));
    return repository;
  }

  private static void damageTwoOfEach(ToyRepository repository, long seed) throws IOException {
    Random random = new Random(seed);
    for (Group group : ParityVolumesTest.groups(repository)) {
      for (Member member : group.members().subList(0, Math.min(2, group.members().size()))) {
        if (Files.exists(repository.path(member.name()))) {
          repository.damage(member.name(), random);
        }
      }
    }
  }

  private static boolean isKilledAt(int step, ToyRepository repository, Work work)
      throws IOException {
    int[] left = {step};
    Steps killing =
        what -> {
          if (left[0]-- == 0) {
            throw new Killed(what);
          }
        };
    try {
      work.run(repository.parity().steps(killing));
      return false;
    } catch (Killed e) {
      return true;
    }
  }

  @FunctionalInterface
  private interface Work {
    void run(ParityVolumes parity) throws IOException;
  }

  /** Passes everything that cleans up after failures of the world. */
  private static final class Killed extends Error {
    private static final long serialVersionUID = 1;

    Killed(String step) {
      super(step);
    }
  }
}
