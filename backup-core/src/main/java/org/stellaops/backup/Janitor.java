package org.stellaops.backup;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.run.Closing;
import org.stellaops.backup.internal.run.Context;
import org.stellaops.backup.internal.run.Listeners;
import org.stellaops.backup.internal.run.PruneSettings;
import org.stellaops.backup.internal.run.RetentionAccess;
import org.stellaops.backup.internal.run.StopSignal;
import org.stellaops.backup.internal.run.Threads;
import org.stellaops.backup.internal.run.UnderWay;
import org.stellaops.backup.internal.run.Workspace;
import org.stellaops.backup.model.ArchiveReport;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.RecallReport;
import org.stellaops.backup.model.RecoveryWindow;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.plan.ArchivePlan;
import org.stellaops.backup.plan.ArchiveRequest;
import org.stellaops.backup.retention.PrunePreview;
import org.stellaops.backup.retention.PruneRequest;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Lets go of snapshots and removes what nobody needs any more, with a signing key of its own: no
 * identity, no sources, no plan. From any thread; closing is idempotent.
 */
public final class Janitor implements AutoCloseable {
  private final Closing opened;
  private final Context context;
  private final RetentionAccess access;
  private final UnderWay underWay = new UnderWay();

  private Janitor(Closing opened, Context context, RetentionAccess access) {
    this.opened = opened;
    this.context = context;
    this.access = access;
  }

  /** Begins opening the repository in a sink. */
  public static Builder at(BackupSink sink) {
    return new Builder(sink);
  }

  /** What a prune by the rules would let go now, with the reasons. Changes nothing. */
  public PrunePreview planPrune() throws BackupException {
    return planPrune(PruneRequest.byRules());
  }

  /**
   * What a prune would let go now, with the reasons. Changes nothing.
   *
   * @throws BackupException.Refused SAFETY_FLOOR if something was named that has to stay; NOT_FOUND
   *     or AMBIGUOUS
   */
  public PrunePreview planPrune(PruneRequest request) throws BackupException {
    return stoppable("plan prune", stop -> access.plan(request));
  }

  /**
   * Lets go of exactly what a preview shows, and removes what was let go long enough ago. Goes on
   * after what fails, which the report names.
   *
   * @throws BackupException.Refused PLAN_STALE if the consent is to something else, or something
   *     changed; BLOCKED or CLOCK_UNSOUND
   * @throws BackupException.Corrupt if the log of deletions is damaged
   */
  public PruneReport prune(PrunePreview preview, Confirmation consent) throws BackupException {
    return stoppable("prune", stop -> access.prune(preview, consent, stop));
  }

  /**
   * What moving to an archive would copy there, and let go of here. Changes nothing.
   *
   * @throws BackupException.Refused as {@link #planPrune(PruneRequest)} and {@link
   *     BackupRepository#copy}
   */
  public ArchivePlan planArchive(ArchiveRequest request) throws BackupException {
    return stoppable("plan archive", stop -> access.archiving(stop).plan(request));
  }

  /**
   * Copies what the plan shows to the archive with everything that it needs, reads every object
   * there and compares it, and only then lets go of it here, as a prune does. An archive keeps what
   * it has: what retention lets go of here later is not let go of there.
   *
   * @throws BackupException.Refused PLAN_STALE if the consent is to something else, or something
   *     changed; NOT_FOUND if there is nothing to move; otherwise as {@link #prune} and {@link
   *     BackupRepository#copy}
   * @throws BackupException.Corrupt COPY_INCOMPLETE if something of it is damaged here: nothing was
   *     let go of
   */
  public ArchiveReport archive(ArchivePlan plan, Confirmation consent) throws BackupException {
    return stoppable("archive", stop -> access.archiving(stop).archive(plan, consent));
  }

  /**
   * How far back each source that a recorded stream follows can be taken to any instant now, beside
   * how far the rules say: a figure to draw and to alarm by. Changes nothing; {@link
   * BackupListener#recoveryWindow} is told the same after each prune.
   */
  public List<RecoveryWindow> recoveryWindows() throws BackupException {
    return stoppable("look at recovery windows", stop -> access.windows());
  }

  /**
   * Lets go of nothing more; removes what was let go long enough ago, and what failed runs left.
   */
  public PruneReport cleanUp() throws BackupException {
    return stoppable("clean up", access::cleanUp);
  }

  /**
   * What {@link #recall} would bring back now. Changes nothing.
   *
   * @throws BackupException.Refused RETIRED if it is swept already; NOT_FOUND if it was not let go
   */
  public RecallReport planRecall(SnapshotId snapshot) throws BackupException {
    return stoppable("plan recall", stop -> access.planRecall(snapshot));
  }

  /**
   * Takes back that a snapshot was let go, with what it builds on and the recorded streams behind
   * it, as far as these are not swept: look at the report. What is gone of a stream keeps nothing
   * else from coming back, since whether a capture brings along itself what it needs is for owners
   * only to know; a restore plan tells.
   *
   * @param reason why, and {@code actor} who wants it: both are recorded, neither may be blank
   * @throws BackupException.Refused RETIRED if it is swept already; NOT_FOUND if it was not let go;
   *     PLAN_STALE if another janitor wrote meanwhile: recall it again
   */
  public RecallReport recall(SnapshotId snapshot, String reason, String actor)
      throws BackupException {
    return stoppable("recall", stop -> access.recall(snapshot, reason, actor));
  }

  /**
   * Keeps a snapshot whatever the rules say, to this instant.
   *
   * @throws BackupException.Refused NOT_FOUND; RETIRED if it was let go already; PLAN_STALE if
   *     another janitor wrote meanwhile: hold it again
   */
  public void hold(SnapshotRef snapshot, String reason, Instant until, String actor)
      throws BackupException {
    hold(snapshot, reason, Optional.of(until), actor);
  }

  /**
   * Keeps a snapshot whatever the rules say, until it is released.
   *
   * @throws BackupException.Refused NOT_FOUND; RETIRED if it was let go already; PLAN_STALE if
   *     another janitor wrote meanwhile: hold it again
   */
  public void hold(SnapshotRef snapshot, String reason, String actor) throws BackupException {
    hold(snapshot, reason, Optional.empty(), actor);
  }

  private void hold(SnapshotRef snapshot, String reason, Optional<Instant> until, String actor)
      throws BackupException {
    stoppable(
        "hold",
        stop -> {
          access.hold(snapshot, reason, until, actor);
          return snapshot;
        });
  }

  /**
   * Ends a hold.
   *
   * @throws BackupException.Refused NOT_FOUND if nobody holds it; PLAN_STALE if another janitor
   *     wrote meanwhile: release it again
   */
  public void release(SnapshotRef snapshot, String reason, String actor) throws BackupException {
    stoppable(
        "release",
        stop -> {
          access.release(snapshot, reason, actor);
          return snapshot;
        });
  }

  /**
   * Accepts the times of a writer's log as they are, up to now: after its clock was mended.
   *
   * @throws BackupException.Refused UNTRUSTED_WRITER if this key is not pinned for log {@code
   *     admin}
   */
  public void retime(String writer, String reason, String actor) throws BackupException {
    stoppable(
        "retime",
        stop -> {
          access.retime(writer, reason, actor);
          return writer;
        });
  }

  private <T> T stoppable(String what, BackupRepository.Stoppable<T> step) throws BackupException {
    StopSignal stop = new StopSignal(context.clock());
    underWay.begin(stop);
    try {
      return step.run(stop);
    } catch (IOException e) {
      throw BackupRepository.failure(what, e, stop);
    } finally {
      stop.close();
      underWay.end(stop);
    }
  }

  /** Stops what is under way, waits for its end, and closes what was opened here. */
  @Override
  public void close() throws BackupException {
    underWay.stop();
    try {
      opened.close();
    } catch (IOException e) {
      throw BackupRepository.asBackupException("close", e);
    }
  }

  /** How a janitor is opened. One thread. */
  public static final class Builder {
    private final BackupSink sink;
    private final List<BackupListener> listeners = new ArrayList<>();
    private Trust trust = Trust.nobody();
    private InstantSource clock = InstantSource.system();
    private PruneSettings settings = PruneSettings.USUAL;
    private @Nullable WriterKeyring keys;
    private @Nullable RetentionRules rules;
    private @Nullable Path workspace;

    private Builder(BackupSink sink) {
      this.sink = sink;
    }

    /** Who deletes: signs the log {@code retention}. */
    public Builder keys(WriterKeyring keyring) {
      keys = keyring;
      return this;
    }

    /** The writers whose snapshots count; nothing of any other is touched. */
    public Builder trust(Trust writers) {
      trust = writers;
      return this;
    }

    /** What to keep. */
    public Builder retain(RetentionRules toKeep) {
      rules = toKeep;
      return this;
    }

    /** So long what is doomed can be taken back; a week unless said. */
    public Builder grace(Duration grace) {
      settings = new PruneSettings(grace, settings.minimumAge());
      return this;
    }

    /**
     * What was stored later is left alone, since a run may be about to name it: longer than the
     * longest run; a day unless said.
     */
    public Builder minimumAge(Duration age) {
      settings = new PruneSettings(settings.grace(), age);
      return this;
    }

    /** The clock; the system's unless said. */
    public Builder clock(InstantSource clock) {
      this.clock = clock;
      return this;
    }

    /**
     * A directory that remembers the heads that were seen, so that a store cannot go backwards
     * unnoticed.
     */
    public Builder workspace(Path directory) {
      workspace = directory;
      return this;
    }

    /** Hears how far it is. */
    public Builder listener(BackupListener listener) {
      listeners.add(listener);
      return this;
    }

    /**
     * Opens the repository.
     *
     * @throws IllegalStateException without keys or rules
     * @throws BackupException.Refused NOT_A_REPOSITORY if there is none; WRONG_REPOSITORY if the
     *     keys belong to another one
     */
    public Janitor open() throws BackupException {
      WriterKeyring keyring = keys;
      RetentionRules toKeep = rules;
      if (keyring == null || toKeep == null) {
        throw new IllegalStateException("a janitor needs keys(...) and retain(...)");
      }
      return BackupRepository.translated("open " + sink.describe(), () -> opened(keyring, toKeep));
    }

    private Janitor opened(WriterKeyring keyring, RetentionRules toKeep) throws IOException {
      Closing kept = new Closing();
      try (Closing opened = new Closing()) {
        WriterKeys own = keyring.open();
        opened.add(own::close);
        Workspace files = Workspace.in(Optional.ofNullable(workspace));
        ObjectStore store = opened.add(sink.open(new StoreContext(clock, Stopping.never())));
        Context context =
            new Context(
                clock, Threads.of(null, 1), 1, files, new Listeners(listeners), new SecureRandom());
        Repository repository = repository(own, store, context);
        kept.add(own::close);
        kept.add(store);
        kept.add(context.threads()::close);
        opened.handOver();
        return new Janitor(
            kept, context, new RetentionAccess(context, repository, own, toKeep, settings));
      }
    }

    private Repository repository(WriterKeys own, ObjectStore store, Context context)
        throws IOException {
      Trust all = trust.and(forRetention(own.id()));
      Repository repository =
          Repository.open(new StoreAccess(store), all, context.workspace(), clock)
              .orElseThrow(
                  () ->
                      new BackupException.Refused(
                          CoreFailure.NOT_A_REPOSITORY,
                          "there is no repository at " + sink.describe()));
      repository.requirePrimary();
      Optional<String> expected = own.repository();
      if (expected.isPresent() && !expected.get().equals(repository.id())) {
        throw new BackupException.Refused(
            CoreFailure.WRONG_REPOSITORY,
            "%s holds repository %s, the keys belong to %s"
                .formatted(sink.describe(), repository.id(), expected.get()));
      }
      if (expected.isEmpty()) {
        own.bindTo(repository.id());
      }
      return repository;
    }

    /** Whoever deletes believes himself, and says nothing in any other log. */
    private static Trust forRetention(WriterId own) {
      return new Trust(List.of(new Trust.Signer(List.of("retention"), own.publicKey())));
    }
  }
}
