package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.store.ForwardingStore;
import org.stellaops.backup.testkit.MemorySink;

/** One snapshot from end to end, on files. */
class SnapshotIT {
  @TempDir Path root;

  @Test
  void what_is_backed_up_comes_back() throws Exception {
    int chunk = 2 << 20;
    try (Fixture fixture = new Fixture(root)) {
      for (Form form : new Form[] {Form.CONTENT, Form.BLOCKS, Form.WHOLE}) {
        BytesSource source = new BytesSource("config").form(form);
        for (int size : new int[] {0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 40_000_000}) {
          source.with("random-" + size, Fixture.random(size, size));
        }
        source.with("zeros", new byte[5_000_000]);
        BackupReport report;
        try (BackupEngine engine = fixture.engine(source)) {
          report = engine.backup(BackupRequest.full().named("first-" + form.cut()));
          assertEquals(Outcome.GOOD, report.outcome(), report.findings().toString());
          assertEquals(Verdict.INTACT, engine.verify(report.snapshot()).verdict());
        }
        BytesSource.Target target = fixture.restore(report.snapshot());
        for (Map.Entry<String, byte[]> artifact : source.artifacts().entrySet()) {
          assertArrayEquals(
              artifact.getValue(), target.restored.get(artifact.getKey()), artifact.getKey());
        }
        try (BackupRepository repository = fixture.repository()) {
          assertTrue(repository.check(Verification.full(fixture.owner)).isIntact());
        }
      }
    }
  }

  @Test
  void a_second_run_of_the_same_bytes_stores_no_new_pack() throws Exception {
    try (Fixture fixture = new Fixture(root);
        BackupEngine engine = fixture.engine(BytesSource.of("a", Fixture.random(7, 30_000_000)))) {
      BackupReport first = engine.backup(BackupRequest.full().named("first"));
      BackupReport second = engine.backup(BackupRequest.full().named("second"));
      assertTrue(first.newBytes() >= 30_000_000);
      assertEquals(0, second.newBytes());
      assertEquals(30_000_000, second.plainBytes());
    }
  }

  @Test
  void a_name_is_given_once() throws Exception {
    try (Fixture fixture = new Fixture(root);
        BackupEngine engine = fixture.engine(BytesSource.of("a", new byte[10]))) {
      engine.backup(BackupRequest.full().named("pre-upgrade"));
      var e =
          assertThrows(
              BackupException.Refused.class,
              () -> engine.backup(BackupRequest.full().named("pre-upgrade")));
      assertEquals(CoreFailure.NAME_CONFLICT, e.code());
    }
  }

  @Test
  void what_killed_runs_left_may_stay() throws Exception {
    try (Fixture fixture = new Fixture(root)) {
      BackupSink stuck = new MemorySink().with(Unswept::new);
      BackupPlan plan =
          fixture.plan("files", BytesSource.of("a", new byte[10])).sink(stuck).build();
      try (BackupEngine engine = BackupEngine.open(plan)) {
        assertEquals(Outcome.GOOD, engine.backup(BackupRequest.full()).outcome());
      }
    }
  }

  /** A store whose temporary files cannot be removed. */
  private static final class Unswept extends ForwardingStore {
    Unswept(ObjectStore inner) {
      super(inner);
    }

    @Override
    public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
      StoreAbility.Strays strays =
          () -> {
            throw new IOException("Read-only file system");
          };
      return type.isInstance(strays) ? Optional.of(type.cast(strays)) : Optional.empty();
    }
  }
}
