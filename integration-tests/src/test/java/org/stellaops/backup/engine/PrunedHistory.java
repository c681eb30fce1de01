package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.testkit.MemorySink;

/** A host whose captures and recorded history are let go by a janitor of its own. */
@Timeout(300)
abstract class PrunedHistory {
  @TempDir Path root;
  final MemorySink sink = new MemorySink();
  AgeIdentity owner;
  Host host;
  Pruning pruning;

  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    pruning = new Pruning(host).withKeys();
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    sink.assertNothingOpen();
  }

  BackupEngine engine(ScriptedSource source, ScriptedStream stream) throws IOException {
    return host.with(
            host.plan(sink).source(Host.SOURCE, source).stream(StreamHost.STREAM, stream)
                .janitor(pruning.keys())
                .build())
        .open();
  }

  /** Captures, and needs of the history what lies between these. */
  SnapshotId backUp(String name, long from, long to) throws IOException {
    try (BackupEngine engine =
        engine(StreamHost.capture(1, from, to), ScriptedStream.following(s -> {}))) {
      return engine.backup(BackupRequest.full().named(name)).requireGood().snapshot();
    }
  }

  void record(ScriptedStream.Follow script) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    try (BackupEngine engine =
        engine(StreamHost.capture(1, 0, 10), ScriptedStream.doing(script, done))) {
      var stream = engine.stream(StreamHost.STREAM);
      assertTrue(done.await(120, TimeUnit.SECONDS), () -> stream.status().toString());
    }
  }

  static ScriptedStream.Follow pieces(long from, long to) {
    return session -> {
      for (long at = from; at < to; at += 10) {
        ScriptedStream.append(session, 1, at, at + 10);
      }
    };
  }

  BackupRepository repository() throws IOException {
    return BackupRepository.at(sink)
        .identity(owner)
        .trust(pruning.trust())
        .executor(Runnable::run)
        .open();
  }

  /** What of the history a restore is offered, every byte of it compared. */
  Coverage replayed(String snapshot) throws IOException {
    ReplayTarget target = new ReplayTarget();
    try (BackupRepository repository = repository()) {
      var plan =
          repository.planRestore(
              RestoreRequest.of(SnapshotRef.named(snapshot))
                  .upTo(RecoveryPoint.latest())
                  .target(Host.SOURCE, target));
      assertTrue(plan.isPossible(), plan.describe());
    }
    return target.coverage.orElseThrow();
  }

  void assertWhole() throws IOException {
    try (BackupRepository repository = repository()) {
      assertEquals(List.of(), repository.catalog().damage());
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
    }
  }
}
