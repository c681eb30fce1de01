package org.stellaops.backup.mongo.internal.restore;

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
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.Stopping;

/** One session of several databases that are restored in turn: each begins where one has ended. */
public final class JoinedSession implements RestoreSession {
  private final RestoreSession whole;
  private long bytesBefore;
  private long objectsBefore;
  private long bytes;
  private long objects;

  /** Before the first. */
  public JoinedSession(RestoreSession whole) {
    this.whole = whole;
  }

  /** The next one begins. */
  public JoinedSession next() {
    bytesBefore = bytes;
    objectsBefore = objects;
    return this;
  }

  @Override
  public void progress(long ofBytes, long ofObjects, long expectedBytes) {
    bytes = bytesBefore + ofBytes;
    objects = objectsBefore + ofObjects;
    whole.progress(bytes, objects, Math.max(bytes, expectedBytes));
  }

  @Override
  public RunId run() {
    return whole.run();
  }

  @Override
  public List<CapturedSource> chain() {
    return whole.chain();
  }

  @Override
  public InputStream open(CapturedSource of, ArtifactName artifact) throws IOException {
    return whole.open(of, artifact);
  }

  @Override
  public InputStream open(CapturedSource of, ArtifactName artifact, ByteRange plain)
      throws IOException {
    return whole.open(of, artifact, plain);
  }

  @Override
  public Optional<RecoveryPoint> point() {
    return whole.point();
  }

  @Override
  public Optional<RecordedStream> recorded() throws IOException {
    return whole.recorded();
  }

  @Override
  public Optional<Endpoint> restored(SourceName earlier) {
    return whole.restored(earlier);
  }

  @Override
  public void endpoint(Endpoint endpoint) {
    whole.endpoint(endpoint);
  }

  @Override
  public Stopping stopping() {
    return whole.stopping();
  }

  @Override
  public Executor executor() {
    return whole.executor();
  }

  @Override
  public void finding(Finding finding) {
    whole.finding(finding);
  }
}
