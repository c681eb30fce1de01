package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.EpochHeader;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;

/**
 * A directory with a repository and the keys of everybody who works on it: two writers, one of
 * which records a stream, a janitor, an administrator, and two owners.
 */
final class AdministeredSite {
  static final String WRITER = "host-a";
  static final String OTHER_WRITER = "host-b";
  static final String BASE = "base-3";
  private static final String BASE_SOURCE = "database";
  private static final String JANITOR = "janitor";
  private static final String ADMINISTRATOR = "ops-admin";

  final Path directory;
  final BackupSink sink;

  AdministeredSite(Path directory) {
    this.directory = directory;
    this.sink = DirectorySink.at(repository());
  }

  /** What somebody does who administers the site. */
  enum Deed {
    /** Sweeps and deletes what the site doomed, retires more, and dooms that. */
    PRUNE,
    /** Lets escrow open the epoch that was for ops alone. */
    REWRAP,
    /** Begins an epoch that is not for escrow. */
    EPOCH,
    /** Gives the writer another key. */
    ROTATE,
    /** Ends the writer. */
    SEAL;

    void run(AdministeredSite site, BackupSink through) throws IOException {
      switch (this) {
        case PRUNE -> site.prune(through);
        case REWRAP -> site.rewrap(through);
        case EPOCH -> site.beginWithoutEscrow(through);
        case ROTATE -> site.rotate(through);
        case SEAL -> site.seal(through);
      }
    }
  }

  /** Whom a plan encrypts to. */
  enum Owners {
    OPS,
    BOTH
  }

  /**
   * Makes it: of the writer's snapshots and its stream some are doomed, some are to be let go next,
   * and some stay. One of these is in an epoch that is for ops alone.
   */
  AdministeredSite make() throws Exception {
    Files.createDirectories(directory);
    for (String owner : List.of("ops", "escrow")) {
      try (AgeIdentity identity = AgeIdentity.generate()) {
        identity.writeTo(directory.resolve(owner + ".txt"));
      }
    }
    for (String name : List.of(WRITER, OTHER_WRITER, JANITOR, ADMINISTRATOR)) {
      keys(name).open().close();
    }
    Files.writeString(directory.resolve("allowed_signers"), trustNow().toAllowedSigners());
    backUp(WRITER, "n1", 1, Owners.OPS);
    backUpBase("base-1", 0, 10);
    backUp(OTHER_WRITER, "m1", -1, Owners.BOTH);
    record(0, 60);
    keepSinceNow();
    backUp(WRITER, "n2", 2, Owners.BOTH);
    backUpBase("base-2", 50, 55);
    backUp(OTHER_WRITER, "m2", -2, Owners.BOTH);
    prune(sink);
    keepSinceNow();
    backUp(WRITER, "n3", 3, Owners.OPS);
    backUp(WRITER, "n4", 4, Owners.BOTH);
    backUpBase(BASE, 58, 60);
    backUp(OTHER_WRITER, "m3", -3, Owners.BOTH);
    record(60, 100);
    return this;
  }

  AdministeredSite copy(Path to) throws IOException {
    Host.copyTree(directory, to);
    return new AdministeredSite(to);
  }

  Path repository() {
    return EngineProcess.repository(directory);
  }

  private WriterKeyFile keys(String name) {
    return WriterKeyFile.at(directory.resolve(name + ".key")).named(name);
  }

  AgeIdentity identity(String owner) throws IOException {
    return AgeIdentity.file(directory.resolve(owner + ".txt"));
  }

  private Trust trustNow() throws IOException {
    return new Trust(
        List.of(
            new Trust.Signer(
                List.of(WRITER, WRITER + ".*", "admin", "verify"), keys(WRITER).id().publicKey()),
            new Trust.Signer(
                List.of(OTHER_WRITER, OTHER_WRITER + ".*"), keys(OTHER_WRITER).id().publicKey()),
            new Trust.Signer(List.of("admin"), keys(ADMINISTRATOR).id().publicKey()),
            new Trust.Signer(List.of("retention"), keys(JANITOR).id().publicKey())));
  }

  /** Whom everybody pinned in the beginning, and never since. */
  Trust trust() throws IOException {
    return Trust.allowedSigners(Files.readString(directory.resolve("allowed_signers")));
  }

  private BackupPlan.Builder plan(String writer, String name, BackupSink through, Owners owners)
      throws IOException {
    BackupPlan.Builder plan =
        BackupPlan.named(name)
            .writer(keys(writer))
            .trust(trust())
            .janitor(keys(JANITOR))
            .limits(new Limits(32 << 20, 1, 1, 64 << 10))
            .sink(through);
    try (AgeIdentity ops = identity("ops");
        AgeIdentity escrow = identity("escrow")) {
      plan.encryptTo(ops.recipient());
      if (owners == Owners.BOTH) {
        plan.encryptTo(escrow.recipient());
      }
    }
    return plan;
  }

  private BackupEngine open(String writer, BackupPlan plan) throws BackupException {
    return BackupEngine.with(plan)
        .executor(Runnable::run)
        .instance(writer)
        .workspace(directory.resolve("workspace-" + writer))
        .open();
  }

  private BackupEngine engine(String writer, long seed, BackupSink through, Owners owners)
      throws IOException {
    return open(
        writer,
        plan(writer, "files-of-" + writer, through, owners)
            .source(Host.SOURCE, PruneIT.content(seed))
            .build());
  }

  void backUp(String writer, String name, long seed, Owners owners) throws IOException {
    try (BackupEngine engine = engine(writer, seed, sink, owners)) {
      engine.backup(BackupRequest.full().named(name)).requireGood();
    }
  }

  private BackupEngine recorder(ScriptedSource base, ScriptedStream stream) throws IOException {
    return open(
        WRITER,
        plan(WRITER, BASE_SOURCE, sink, Owners.BOTH).source(BASE_SOURCE, base).stream(
                StreamHost.STREAM, stream)
            .build());
  }

  private void backUpBase(String name, long from, long to) throws IOException {
    try (BackupEngine engine =
        recorder(StreamHost.capture(1, from, to), ScriptedStream.following(s -> {}))) {
      engine.backup(BackupRequest.full().named(name)).requireGood();
    }
  }

  /** Records a range in pieces, and merges its second half. */
  void record(long from, long to) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    long half = (from + to) / 2;
    ScriptedStream script =
        ScriptedStream.doing(
            session -> {
              ScriptedStream.append(session, 1, from, half);
              ScriptedStream.append(session, 1, half, half + 1);
              ScriptedStream.append(session, 1, half + 1, to);
              ScriptedStream.merge(session, 1, half, to);
            },
            done);
    try (BackupEngine engine = recorder(StreamHost.capture(1, 0, 10), script)) {
      var stream = engine.stream(StreamHost.STREAM);
      assertTrue(
          done.await(StreamHost.LONG.toSeconds(), TimeUnit.SECONDS),
          () -> stream.status().toString());
    }
  }

  BackupRepository opened(AgeIdentity who) throws IOException {
    return BackupRepository.at(sink).identity(who).trust(trust()).executor(Runnable::run).open();
  }

  List<EpochHeader> epochs() throws IOException {
    try (BackupRepository repository = BackupRepository.at(sink).trust(trust()).open()) {
      return repository.keys().epochs();
    }
  }

  /** From now on a prune lets go of whatever was captured before. */
  private void keepSinceNow() throws IOException {
    Files.writeString(directory.resolve("keep-since"), Instant.now().toString());
  }

  private RetentionPolicy policy() throws IOException {
    Instant since = Instant.parse(Files.readString(directory.resolve("keep-since")));
    return (all, now) ->
        new RetentionDecision(
            all.stream()
                .filter(c -> !c.time().isBefore(since))
                .collect(
                    Collectors.toMap(
                        CaptureHeader::snapshot, c -> List.of("captured since"), (a, b) -> a)));
  }

  /** As a schedule does it: plans again when somebody committed since it planned. */
  PruneReport prune(BackupSink through) throws IOException {
    try (Janitor janitor =
        Janitor.at(through)
            .keys(keys(JANITOR))
            .trust(trust())
            .retain(RetentionRules.of(policy()).minimumAge(Duration.ZERO))
            .grace(Duration.ZERO)
            .minimumAge(Duration.ZERO)
            .open()) {
      PruneReport report = pruneAgainIfStale(janitor);
      assertTrue(report.isOk(), report.toString());
      return report;
    }
  }

  private static PruneReport pruneAgainIfStale(Janitor janitor) throws BackupException {
    try {
      return Pruning.prune(janitor);
    } catch (BackupException.Refused e) {
      if (e.code() != CoreFailure.PLAN_STALE) {
        throw e;
      }
      return Pruning.prune(janitor);
    }
  }

  private void rewrap(BackupSink through) throws IOException {
    try (BackupEngine engine = engine(WRITER, 1, through, Owners.BOTH);
        AgeIdentity ops = identity("ops");
        AgeIdentity escrow = identity("escrow")) {
      String first = engine.keys().epochs().get(0).id();
      engine.keys().rewrap(first, ops, escrow.recipient());
    }
  }

  private void beginWithoutEscrow(BackupSink through) throws IOException {
    try (BackupEngine engine = engine(WRITER, 1, through, Owners.BOTH);
        AgeIdentity escrow = identity("escrow")) {
      engine.keys().newEpochWithout(escrow.recipient().text());
    }
  }

  private void rotate(BackupSink through) throws IOException {
    try (BackupEngine engine = engine(WRITER, 1, through, Owners.BOTH)) {
      engine.keys().rotateWriter();
    }
  }

  private void seal(BackupSink through) throws IOException {
    try (BackupRepository repository =
        BackupRepository.at(through).trust(trust()).signedBy(keys(ADMINISTRATOR)).open()) {
      repository.keys().seal(WRITER, "its keys are lost");
    }
  }
}
