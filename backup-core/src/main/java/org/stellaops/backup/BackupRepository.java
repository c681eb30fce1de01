package org.stellaops.backup;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.bundle.BundleReport;
import org.stellaops.backup.bundle.BundleRequest;
import org.stellaops.backup.bundle.TarballReport;
import org.stellaops.backup.bundle.TarballRequest;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.run.Administration;
import org.stellaops.backup.internal.run.Cause;
import org.stellaops.backup.internal.run.Closing;
import org.stellaops.backup.internal.run.Context;
import org.stellaops.backup.internal.run.Listeners;
import org.stellaops.backup.internal.run.PromotionRun;
import org.stellaops.backup.internal.run.RestorePlanner;
import org.stellaops.backup.internal.run.SnapshotAccess;
import org.stellaops.backup.internal.run.StopSignal;
import org.stellaops.backup.internal.run.Threads;
import org.stellaops.backup.internal.run.UnderWay;
import org.stellaops.backup.internal.run.Workspace;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.RestoreReport;
import org.stellaops.backup.model.RetrievalStatus;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.plan.CopyPlan;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.PromotionPlan;
import org.stellaops.backup.plan.PromotionRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Everything that needs no plan: list, verify, restore, on an empty machine, with a location, an
 * identity and pinned writers. A call about one snapshot throws where the answer is bad, so that an
 * ignored result hides nothing; a call about many reports. From any thread; closing is idempotent,
 * and closes what was opened here, never what was given.
 */
public sealed class BackupRepository implements AutoCloseable permits BackupEngine {
  private static final int DEFAULT_PARALLELISM = 2;

  private final Resources resources;
  private final SnapshotAccess access;

  /** What a repository or an engine opened and has to close. */
  record Resources(
      Context context,
      ReadableStore store,
      Repository repository,
      Optional<WriterKeys> keys,
      UnderWay underWay) {}

  BackupRepository(Resources resources, SnapshotAccess access) {
    this.resources = resources;
    this.access = access;
  }

  /** Begins opening the repository at a location. */
  public static Access at(ObjectLocation location) {
    return new Access(location);
  }

  /** Who can read this repository and who may write to it. */
  public final RepositoryKeys keys() {
    return new RepositoryKeys(
        this, new Administration(resources.context(), resources.repository(), resources.keys()));
  }

  /** Whether this store is where writers commit, or a copy. */
  public final StoreRole role() {
    return resources.repository().role();
  }

  /** What this store is called among the copies of the repository; often empty. */
  public final String label() {
    return resources.repository().label();
  }

  /** What there is. */
  public final Catalog catalog() {
    return new Catalog(this, access);
  }

  /**
   * Verifies signatures, chain, and every stored byte; needs no identity.
   *
   * @throws BackupException.Corrupt with everything that is damaged
   * @throws BackupException.Refused NOT_FOUND
   */
  public final VerificationReport verify(SnapshotRef snapshot) throws BackupException {
    return verify(snapshot, Verification.stored());
  }

  /**
   * Verifies as deep as asked.
   *
   * @throws BackupException.Corrupt with everything that is damaged
   * @throws BackupException.Refused NOT_FOUND
   * @throws BackupException.Crypto WRONG_KEY
   */
  public final VerificationReport verify(SnapshotRef snapshot, Verification depth)
      throws BackupException {
    VerificationReport report =
        stoppable("verify", stop -> access.verify(access.require(snapshot), depth, stop));
    if (!report.isIntact()) {
      throw new BackupException.Corrupt(
          report.findings().get(0).code(),
          "snapshot %s is damaged: %s".formatted(snapshot, report.findings()),
          report.findings());
    }
    return report;
  }

  /**
   * Verifies every snapshot that passes, and goes on whatever is found: one report each, newest
   * first. One that could not be looked at is UNKNOWN.
   */
  public final List<VerificationReport> verifyAll(SnapshotFilter filter, Verification depth)
      throws BackupException {
    return stoppable("verify", stop -> access.verifyAll(filter, depth, stop));
  }

  /** Verifies the whole repository: every log, snapshot, key and fixed file. */
  public final RepositoryReport check(Verification depth) throws BackupException {
    return stoppable("check", stop -> access.check(depth, stop));
  }

  /**
   * What was captured, source by source: artifacts with their digests, inventory, positions,
   * versions. It is sealed, so this needs an identity: one that the repository was opened with, or
   * one of these, which stay the caller's.
   *
   * @throws BackupException.Crypto KEY_UNAVAILABLE without an identity, WRONG_KEY with a wrong one
   * @throws BackupException.Refused NOT_FOUND or AMBIGUOUS
   */
  public final List<CapturedSource> contents(SnapshotRef snapshot, Identity... identities)
      throws BackupException {
    return stoppable("read contents", stop -> access.contents(snapshot, List.of(identities), stop));
  }

  /**
   * Writes snapshots into one file that is a repository by itself, with everything that they need
   * and a page that says how to get them back without us. No key is needed, unless others than the
   * owners are to open it.
   *
   * @throws BackupException.Refused NOT_FOUND, AMBIGUOUS; BUNDLE_EXISTS if there is such a file
   * @throws BackupException.Sink SINK_FULL, MEDIUM_GONE and others; no bundle is left then
   * @throws BackupException.Corrupt with everything that is damaged in the repository
   * @throws BackupException.Crypto KEY_UNAVAILABLE or WRONG_KEY where others are to open it
   */
  public final BundleReport writeBundle(BundleRequest request) throws BackupException {
    return stoppable("write a bundle", stop -> access.writeBundle(request, stop));
  }

  /**
   * Makes a {@code tar.gz} of a snapshot, with a {@code SHA256SUMS} and encrypted for recipients,
   * which needs none of our code to be restored. Nothing plain is written to a disk.
   *
   * @throws BackupException.Crypto KEY_UNAVAILABLE without an identity, WRONG_KEY with a wrong one
   * @throws BackupException.Refused NOT_FOUND, AMBIGUOUS; BUNDLE_EXISTS if there is such a file;
   *     BLOCKED if a source is an increment; NAME_CONFLICT if two members would have one name
   */
  public final TarballReport exportTarball(TarballRequest request) throws BackupException {
    return stoppable("export a tarball", stop -> access.exportTarball(request, stop));
  }

  /**
   * What a restore would do, with everything that stands in its way. Changes nothing.
   *
   * @throws BackupException.Crypto KEY_UNAVAILABLE without an identity, WRONG_KEY with a wrong one
   * @throws BackupException.Refused NOT_FOUND or AMBIGUOUS
   */
  public final RestorePlan planRestore(RestoreRequest request) throws BackupException {
    return stoppable("plan restore", stop -> access.planRestore(request, stop));
  }

  /**
   * Restores. Everything is written beside what is live and read to its end first; only then is
   * anything published. Returns only when all is done.
   *
   * @throws BackupException.Refused PLAN_STALE if the consent is to another plan, or the target
   *     changed; BLOCKED
   * @throws BackupException if it failed; what was begun has been rolled back as far as the plan
   *     promised
   */
  public final RestoreReport restore(RestorePlan plan, Confirmation consent)
      throws BackupException {
    return stoppable("restore", stop -> access.restore(plan, consent, stop));
  }

  /**
   * What of a restore lies where it cannot be read at once, in stores that have such a place; a
   * plan has a blocker NOT_RETRIEVED while there is any. Up to a point in time every recorded slice
   * counts from where the snapshot stands. Changes nothing.
   *
   * @throws BackupException.Refused NOT_FOUND or AMBIGUOUS
   */
  public final RetrievalStatus retrieval(RestoreRequest request) throws BackupException {
    return stoppable("look at a cold tier", stop -> access.retrieval(request, stop));
  }

  /**
   * Asks a store for what of a restore is cold. Costs what the store takes for it, and takes hours;
   * asking again changes nothing. Where lists are cold, what they name is not known before they are
   * readable: then ask again until {@link RetrievalStatus#isAllKnown}.
   *
   * @param readable so long everything stays readable, at least; rounded up to what the store
   *     counts in
   * @return with what was asked for under way
   * @throws BackupException.Refused NOT_FOUND or AMBIGUOUS
   */
  public final RetrievalStatus warmUp(RestoreRequest request, Duration readable)
      throws BackupException {
    return stoppable("warm up", stop -> access.warmUp(request, readable, stop));
  }

  /**
   * What a copy would send, and what stands in its way. Changes nothing.
   *
   * @throws BackupException.Refused as {@link #copy}
   */
  public final CopyPlan planCopy(CopyRequest request) throws BackupException {
    return stoppable("plan copy", stop -> access.planCopy(request, stop));
  }

  /**
   * Copies snapshots, with everything that they need and build on, to another store: only what is
   * missing there, each object read back and compared with its digest. The entry of a snapshot
   * comes last, so that whatever becomes of this, also in a crash, the target lists no snapshot
   * that it does not hold whole; the next copy sends the rest. Replaces nothing and removes
   * nothing. Needs no identity and no writer's keys. What is damaged here stays here, and is told
   * in the report.
   *
   * @throws BackupException.Refused WRONG_REPOSITORY if the target belongs to another repository;
   *     COPY_CONFLICT if it is no copy, or has other bytes under a name; NOT_FOUND or AMBIGUOUS
   * @throws BackupException.Corrupt if the target does not give back what it was given
   */
  public final CopyReport copy(CopyRequest request) throws BackupException {
    return stoppable("copy", stop -> access.copy(request, stop));
  }

  /**
   * What it would mean to make this copy the primary, since that one is lost: what it holds, and
   * what of the former primary is known to be missing here. Changes nothing. Needs {@link
   * Access#signedBy} with a key that is pinned for the log {@code admin}.
   *
   * @throws BackupException.Refused PROMOTION_REFUSED if this is no copy, or the key may not;
   *     KEY_UNAVAILABLE without a key
   */
  public final PromotionPlan planPromotion(PromotionRequest request) throws BackupException {
    return stoppable("plan a promotion", stop -> promotion().plan(request));
  }

  /**
   * Makes this copy the primary. Before, the former primary has to be put where nobody writes to it
   * any more. Afterwards open everything anew: this repository still shows the copy. Writers go on
   * behind the newest entry that anybody is known to have seen. If it is interrupted, do it again.
   *
   * @param consent to {@link PromotionPlan#digest}
   * @throws BackupException.Refused PLAN_STALE if consent is to something else; PROMOTION_LOSES if
   *     something is lost and no reason was given
   */
  public final void promote(PromotionPlan plan, Confirmation consent) throws BackupException {
    stoppable(
        "promote",
        stop -> {
          promotion().promote(plan, consent);
          return plan;
        });
  }

  private PromotionRun promotion() {
    return new PromotionRun(resources().context(), resources().repository(), resources().keys());
  }

  /**
   * Stops what is under way, waits for its end, and closes what was opened here. Not to be called
   * by a listener, a source or a target.
   */
  @Override
  public void close() throws BackupException {
    resources.underWay().stop();
    try (Closing all = new Closing()) {
      resources.keys().ifPresent(keys -> all.add(keys::close));
      all.add(resources.store());
      all.add(resources.context().threads()::close);
      all.add(access);
    } catch (IOException e) {
      throw asBackupException("close", e);
    }
  }

  final Resources resources() {
    return resources;
  }

  final SnapshotAccess access() {
    return access;
  }

  /** Something that ends when this is closed. */
  @FunctionalInterface
  interface Stoppable<T> {
    T run(StopSignal stop) throws IOException;
  }

  final <T> T stoppable(String what, Stoppable<T> step) throws BackupException {
    StopSignal stop = new StopSignal(resources.context().clock());
    resources.underWay().begin(stop);
    try {
      return step.run(stop);
    } catch (IOException e) {
      throw failure(what, e, stop);
    } finally {
      stop.close();
      resources.underWay().end(stop);
    }
  }

  /**
   * A stop ends sockets and channels in their own ways, an interrupt the channel that it meets: it
   * is a stop all the same.
   */
  static BackupException failure(String what, IOException e, StopSignal stop) {
    if (e instanceof BackupException known) {
      return known;
    }
    try {
      stop.check();
      return asBackupException(what, e);
    } catch (BackupException.Stopped stopped) {
      stopped.addSuppressed(e);
      return stopped;
    }
  }

  /** A step that may fail in any way. */
  @FunctionalInterface
  interface Step<T> {
    T run() throws IOException;
  }

  static <T> T translated(String what, Step<T> step) throws BackupException {
    try {
      return step.run();
    } catch (IOException e) {
      throw asBackupException(what, e);
    }
  }

  static BackupException asBackupException(String what, IOException e) {
    return e instanceof BackupException known
        ? known
        : new BackupException.Sink(
            CoreFailure.SINK_FAILED,
            BackupException.Sink.Reason.REFUSED,
            what + ": " + Cause.words(e),
            e);
  }

  /** How a repository is opened without a plan. One thread. */
  public static final class Access {
    private final ObjectLocation location;
    private final List<Identity> identities = new ArrayList<>();
    private final List<BackupListener> listeners = new ArrayList<>();
    private Trust trust = Trust.nobody();
    private InstantSource clock = InstantSource.system();
    private @Nullable Path workspace;
    private @Nullable Executor executor;
    private @Nullable WriterKeyring signer;

    private Access(ObjectLocation location) {
      this.location = location;
    }

    /** Opens snapshots; stays the caller's. Without one, only stored bytes can be verified. */
    public Access identity(Identity identity) {
      identities.add(identity);
      return this;
    }

    /** Whose signatures count. Without it nothing is authenticated, and reports say so. */
    public Access trust(Trust trust) {
      this.trust = trust;
      return this;
    }

    /**
     * A directory that remembers the heads that were seen, so that a store cannot go backwards
     * unnoticed.
     */
    public Access workspace(Path directory) {
      workspace = directory;
      return this;
    }

    /**
     * Whose key signs what {@link BackupRepository#keys} changes, and records of verifications
     * where it is pinned for them: an administrator's, who need not be a writer. The location must
     * be one that can be written to, a {@code BackupSink}.
     */
    public Access signedBy(WriterKeyring keyring) {
      signer = keyring;
      return this;
    }

    /** The clock; the system's unless said. */
    public Access clock(InstantSource clock) {
      this.clock = clock;
      return this;
    }

    /**
     * Where work is done; a few threads of its own, gone when it is closed, unless said. Must not
     * be the pool that calls. Stays the caller's.
     */
    public Access executor(Executor executor) {
      this.executor = executor;
      return this;
    }

    /** Hears what happens. */
    public Access listener(BackupListener listener) {
      listeners.add(listener);
      return this;
    }

    /**
     * Opens the repository.
     *
     * @throws BackupException.Refused NOT_A_REPOSITORY if there is none; OBJECT_HIDDEN if there was
     *     one, which somebody has deleted, and the store keeps it
     */
    public BackupRepository open() throws BackupException {
      return translated("open " + location.describe(), this::opened);
    }

    /**
     * Undoes that somebody deleted the files by which a repository is found, in a store that keeps
     * versions. Whatever else was deleted is named by a check then, and brought back by a repair.
     * Nothing that is brought back is believed: what counts is signed.
     *
     * @return whether something was brought back; false where nothing is missing, or nothing kept
     */
    public boolean undelete() throws BackupException {
      return translated(
          "undelete at " + location.describe(),
          () -> {
            try (ReadableStore store = location.open(new StoreContext(clock, Stopping.never()))) {
              return Repository.undelete(new StoreAccess(store));
            }
          });
    }

    private BackupRepository opened() throws IOException {
      try (Closing opened = new Closing()) {
        Workspace files = Workspace.in(Optional.ofNullable(workspace));
        ReadableStore store = opened.add(location.open(new StoreContext(clock, Stopping.never())));
        Context context =
            new Context(
                clock,
                Threads.of(executor, DEFAULT_PARALLELISM),
                DEFAULT_PARALLELISM,
                files,
                new Listeners(listeners),
                new SecureRandom());
        Repository repository = repository(context, store);
        Optional<WriterKeys> keys = keys(repository);
        opened.handOver();
        return new BackupRepository(
            new Resources(context, store, repository, keys, new UnderWay()),
            new SnapshotAccess(
                context,
                repository,
                identities,
                keys.filter(k -> trust.accepts(Names.VERIFY, k.id().publicKey()))
                    .filter(k -> !repository.role().isSubset()),
                () -> new RestorePlanner(Map.of(), Map.of())));
      }
    }

    private Optional<WriterKeys> keys(Repository repository) throws IOException {
      if (signer == null) {
        return Optional.empty();
      }
      WriterKeys keys = signer.open();
      boolean isRight = false;
      try {
        if (!keys.repository().orElse(repository.id()).equals(repository.id())) {
          throw new BackupException.Refused(
              CoreFailure.WRONG_REPOSITORY,
              "%s holds repository %s, the keys belong to %s"
                  .formatted(location.describe(), repository.id(), keys.repository().get()));
        }
        if (keys.repository().isEmpty()) {
          keys.bindTo(repository.id());
        }
        isRight = true;
        return Optional.of(keys);
      } finally {
        if (!isRight) {
          keys.close();
        }
      }
    }

    private Repository repository(Context context, ReadableStore store) throws IOException {
      StoreAccess access = new StoreAccess(store);
      Optional<Repository> there = Repository.open(access, trust, context.workspace(), clock);
      if (there.isEmpty()) {
        String kept =
            Repository.deleted(access)
                .map(f -> "; %s; hint: undelete(), then repair".formatted(f.found()))
                .orElse("");
        throw new BackupException.Refused(
            kept.isEmpty() ? CoreFailure.NOT_A_REPOSITORY : CoreFailure.OBJECT_HIDDEN,
            "there is no repository at " + location.describe() + kept);
      }
      return there.get();
    }
  }
}
