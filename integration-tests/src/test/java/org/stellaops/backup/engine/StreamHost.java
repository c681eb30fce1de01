package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.Form;

/** A {@link Host} that records a stream, and whose snapshots say where in it they stand. */
final class StreamHost {
  static final String STREAM = "log";
  static final String LOG = "host-a." + STREAM;
  static final Duration LONG = Duration.ofMinutes(2);

  final Host host;
  private final AgeIdentity owner;

  StreamHost(Path directory, AgeIdentity owner, BackupSink sink) throws IOException {
    this(new Host(directory, owner.recipient(), sink).withKeys(), owner);
  }

  private StreamHost(Host host, AgeIdentity owner) {
    this.host = host;
    this.owner = owner;
  }

  StreamHost copy(Path to, BackupSink sink) throws IOException {
    return new StreamHost(host.copy(to, sink), owner);
  }

  BackupEngine.Builder with(ContinuousSource source) {
    return with(source, host.sink);
  }

  BackupEngine.Builder with(ContinuousSource source, BackupSink through) {
    return host.with(
        host.plan(through).source(Host.SOURCE, capture(1, 0, 10)).stream(STREAM, source).build());
  }

  /** A capture that stands there, and can be taken to whatever comes later. */
  static ScriptedSource capture(long branch, long start, long end) {
    return ScriptedSource.capturing(
        session -> {
          session.artifact(
              ArtifactName.of("base"),
              Form.CONTENT,
              out -> out.write("a base".getBytes(StandardCharsets.UTF_8)));
          session.captured(InventoryItem.of("base", 1, 6));
          session.span(
              new CaptureSpan(ToyLog.at(branch, start), ToyLog.at(branch, end), ToyLog.time(end)));
        });
  }

  void backUp(String name, long branch, long start, long end) throws IOException {
    host.backUp(capture(branch, start, end), name).requireGood();
  }

  /** Records what the script does, to its end. */
  void record(ScriptedStream.Follow script) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    try (BackupEngine engine = with(ScriptedStream.doing(script, done)).open()) {
      RunningStream stream = engine.stream(STREAM);
      assertTrue(done.await(LONG.toSeconds(), TimeUnit.SECONDS), () -> stream.status().toString());
    }
  }

  BackupRepository repository() throws IOException {
    return host.repository(owner);
  }

  /** What is recorded, every byte of it compared. */
  ReplayTarget replayed() throws IOException {
    ReplayTarget target = new ReplayTarget();
    try (BackupRepository repository = repository()) {
      plan(repository, target);
    }
    return target;
  }

  static RestorePlan plan(BackupRepository repository, ReplayTarget target) throws IOException {
    return repository.planRestore(
        RestoreRequest.of(SnapshotRef.newest(SnapshotRef.Quality.GOOD))
            .upTo(RecoveryPoint.latest())
            .target(Host.SOURCE, target));
  }

  /** As the catalogue has it. */
  Optional<Coverage> coverage() throws IOException {
    try (BackupRepository repository = repository()) {
      List<Coverage> streams = repository.catalog().streams();
      return streams.stream().findFirst();
    }
  }
}
