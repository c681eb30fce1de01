package org.stellaops.backup.mongo;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Endpoint;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.TargetDescription;

/** A target whose session has threads, as the engine's has and the harness's has not. */
record ParallelTarget(RestoreTarget target, Executor executor) implements RestoreTarget {
  @Override
  public TargetDescription describe() {
    return target.describe();
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return target.accepts(kind);
  }

  @Override
  public void plan(RestorePlanning planning) throws IOException {
    target.plan(planning);
  }

  @Override
  public void stage(RestoreSession session) throws IOException {
    target.stage(new Session(session, executor));
  }

  @Override
  public void publish(RestoreSession session) throws IOException {
    target.publish(new Session(session, executor));
  }

  @Override
  public void rollBack(RestoreSession session) throws IOException {
    target.rollBack(new Session(session, executor));
  }

  @Override
  public void settle(RestoreSession session) throws IOException {
    target.settle(new Session(session, executor));
  }

  private record Session(RestoreSession session, Executor executor) implements RestoreSession {
    @Override
    public RunId run() {
      return session.run();
    }

    @Override
    public List<CapturedSource> chain() {
      return session.chain();
    }

    @Override
    public InputStream open(CapturedSource of, ArtifactName artifact) throws IOException {
      return session.open(of, artifact);
    }

    @Override
    public InputStream open(CapturedSource of, ArtifactName artifact, ByteRange plain)
        throws IOException {
      return session.open(of, artifact, plain);
    }

    @Override
    public Optional<Endpoint> restored(SourceName earlier) {
      return session.restored(earlier);
    }

    @Override
    public void endpoint(Endpoint endpoint) {
      session.endpoint(endpoint);
    }

    @Override
    public Stopping stopping() {
      return session.stopping();
    }

    @Override
    public void finding(Finding finding) {
      session.finding(finding);
    }

    @Override
    public void progress(long bytes, long objects, long expectedBytes) {
      session.progress(bytes, objects, expectedBytes);
    }
  }
}
