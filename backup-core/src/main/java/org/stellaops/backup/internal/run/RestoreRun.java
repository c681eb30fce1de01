package org.stellaops.backup.internal.run;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Endpoint;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.RestoreReport;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.Stopping;

/**
 * One restore: stage every source, so that all its bytes are read to their ends and known to be
 * good; only then publish them, one after the other. A failure rolls back what was begun, newest
 * first.
 */
final class RestoreRun {
  private final Context context;
  private final Map<SnapshotId, SnapshotReader> readers;
  private final Map<SourceName, List<CapturedSource>> chains;
  private final RestorePlanner.Replays replays;
  private final List<RestorePlanner.Bound> bound;
  private final StopSignal stopping;
  private final RunId run;
  private final ProgressMeter progress;
  private final Instant began;
  private final Map<SourceName, Endpoint> endpoints = new LinkedHashMap<>();
  private final List<Finding> findings = new ArrayList<>();
  private long bytes;

  RestoreRun(
      Context context,
      Map<SnapshotId, SnapshotReader> readers,
      Map<SourceName, List<CapturedSource>> chains,
      RestorePlanner.Replays replays,
      List<RestorePlanner.Bound> bound,
      StopSignal stopping,
      RunId run) {
    this.context = context;
    this.readers = readers;
    this.chains = chains;
    this.replays = replays;
    this.bound = bound;
    this.stopping = stopping;
    this.run = run;
    this.progress = new ProgressMeter(run, context.clock(), context.listeners());
    this.began = context.clock().instant();
  }

  RestoreReport execute(SnapshotList.Known snapshot) throws IOException {
    findings.addAll(snapshot.chainDamage());
    if (!snapshot.summary().isAuthenticated()) {
      findings.add(
          new Finding(
              CoreFailure.UNTRUSTED_WRITER,
              snapshot.summary().name().value(),
              "is intact, but no pinned key signed it"));
    }
    List<Session> begun = new ArrayList<>();
    try {
      for (RestorePlanner.Bound part : bound) {
        begun.add(new Session(part.source(), part.target()));
        begun.get(begun.size() - 1).stage();
      }
      for (Session session : begun) {
        session.publish();
      }
    } catch (IOException e) {
      rollBack(begun, e);
      throw translated(e);
    } catch (RuntimeException e) {
      rollBack(begun, e);
      throw e;
    }
    begun.forEach(Session::settle);
    return new RestoreReport(
        run,
        snapshot.summary().id(),
        endpoints,
        findings(),
        bytes,
        Duration.between(began, context.clock().instant()));
  }

  private List<Finding> findings() {
    synchronized (findings) {
      return List.copyOf(findings);
    }
  }

  /**
   * A stop ends sockets and files of a target in their own ways: it is a stop all the same. That
   * bytes are not those that were stored is said in any case.
   */
  private BackupException translated(IOException e) {
    if (e instanceof BackupException.Corrupt corrupt) {
      return corrupt;
    }
    if (e instanceof BackupException.Stopped stopped) {
      return stopped;
    }
    try {
      stopping.check();
    } catch (BackupException.Stopped stopped) {
      stopped.addSuppressed(e);
      return stopped;
    }
    return e instanceof BackupException known
        ? known
        : new BackupException.Target(CoreFailure.TARGET_FAILED, "restore: " + Cause.words(e), e);
  }

  private static void rollBack(List<Session> begun, Exception cause) {
    List<Session> newestFirst = new ArrayList<>(begun);
    Collections.reverse(newestFirst);
    for (Session session : newestFirst) {
      try {
        session.rollBack();
      } catch (IOException | RuntimeException e) {
        cause.addSuppressed(e);
      }
    }
  }

  /** The restore of one source. */
  private final class Session implements RestoreSession {
    private final CapturedSource source;
    private final RestoreTarget target;

    Session(CapturedSource source, RestoreTarget target) {
      this.source = source;
      this.target = target;
    }

    void stage() throws IOException {
      progress.begin("restore " + source.header().source(), source.header().plainBytes());
      target.stage(this);
      progress.end();
      stopping.check();
    }

    void publish() throws IOException {
      progress.begin("publish " + source.header().source(), 0);
      target.publish(this);
      progress.end();
    }

    void rollBack() throws IOException {
      target.rollBack(this);
    }

    /**
     * What was kept for rolling back is not needed any more; what cannot be removed is only in the
     * way.
     */
    void settle() {
      try {
        target.settle(this);
      } catch (IOException e) {
        finding(
            new Finding(
                CoreFailure.TARGET_FAILED,
                target.describe().location(),
                "restored, but what was kept for rolling back is still there: " + Cause.words(e)));
      }
    }

    @Override
    public RunId run() {
      return run;
    }

    @Override
    public List<CapturedSource> chain() {
      return chains.getOrDefault(source.header().source(), List.of(source));
    }

    @Override
    public InputStream open(CapturedSource of, ArtifactName name) throws IOException {
      return new Counted(reader(of).open(of.header().source(), SnapshotReader.artifact(of, name)));
    }

    @Override
    public InputStream open(CapturedSource of, ArtifactName name, ByteRange plain)
        throws IOException {
      return new Counted(
          reader(of).open(of.header().source(), SnapshotReader.artifact(of, name), plain));
    }

    private SnapshotReader reader(CapturedSource of) {
      SnapshotReader reader = readers.get(of.header().snapshot());
      if (reader == null) {
        throw new IllegalArgumentException(
            "not of the chain to restore: " + of.header().snapshot());
      }
      return reader;
    }

    @Override
    public Optional<RecoveryPoint> point() {
      return replays.point();
    }

    @Override
    public Optional<RecordedStream> recorded() throws IOException {
      return replays.recorded(source);
    }

    @Override
    public Optional<Endpoint> restored(SourceName earlier) {
      return Optional.ofNullable(endpoints.get(earlier));
    }

    @Override
    public void endpoint(Endpoint endpoint) {
      endpoints.put(source.header().source(), endpoint);
    }

    @Override
    public Stopping stopping() {
      return stopping;
    }

    @Override
    public Executor executor() {
      return context.threads().waiting();
    }

    @Override
    public void finding(Finding finding) {
      synchronized (findings) {
        findings.add(finding);
      }
      context.listeners().tell(l -> l.found(run, finding));
    }

    @Override
    public void progress(long bytes, long objects, long expectedBytes) {
      progress.at(bytes, objects, expectedBytes);
    }
  }

  /** Tells the report how much was read. */
  private final class Counted extends FilterInputStream {
    Counted(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int b = super.read();
      bytes += b < 0 ? 0 : 1;
      return b;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int n = super.read(into, offset, length);
      bytes += Math.max(0, n);
      return n;
    }
  }
}
