package org.stellaops.backup.testkit;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Endpoint;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/**
 * Runs a {@link RestoreTarget} on a {@link Captured} without an engine:
 *
 * <pre>{@code
 * Captured captured = CaptureHarness.of(source).capture();
 * RestoreHarness.of(target, captured).restore();
 * assertThrows(
 *     BackupException.Corrupt.class,
 *     () -> RestoreHarness.of(other, captured).damage("base.tar", flip(17)).stage());
 * }</pre>
 *
 * <p>{@link #stage}, {@link #publish} and {@link #rollBack} each get a session of their own and may
 * be called in any order and number. A target that breaks the contract of {@link
 * org.stellaops.backup.spi.RestoreSession} ends in an {@link AssertionError}: another thread, use
 * after the call returned, progress that goes backwards, a stream left open, a question for an
 * earlier endpoint outside {@code publish}.
 *
 * <p>Damaged bytes come out of whole artifacts up to EOF, which then fails, as an engine is allowed
 * to do it; ranges fail before the first wrong byte comes out.
 *
 * <p>One thread at a time. Each setting changes this harness and returns it.
 */
public final class RestoreHarness {
  private final RestoreTarget target;
  private final Captured captured;
  private final Map<SourceName, Endpoint> earlier = new LinkedHashMap<>();
  private final RestoreLog log = new RestoreLog();
  private StopSwitch stopSwitch = new StopSwitch();
  private long stopAfterBytes = Long.MAX_VALUE;

  private RestoreHarness(RestoreTarget target, Captured captured) {
    this.target = target;
    this.captured = captured;
  }

  /** A restore of {@code captured}, with all it depends on, to {@code target}. */
  public static RestoreHarness of(RestoreTarget target, Captured captured) {
    return new RestoreHarness(target, captured);
  }

  /** Where a source of lower rank was restored to. */
  public RestoreHarness restored(String earlierSource, Endpoint endpoint) {
    earlier.put(SourceName.of(earlierSource), endpoint);
    return this;
  }

  /** From now on this artifact reads damaged, in every capture of the chain that has it. */
  public RestoreHarness damage(String artifact, ArtifactDamage damage) {
    log.damage.put(ArtifactName.of(artifact), damage);
    return this;
  }

  /** From now on all artifacts read intact. */
  public RestoreHarness mend() {
    log.damage.clear();
    return this;
  }

  /** Lets the test stop the run, from any thread. */
  public RestoreHarness stopping(StopSwitch stopSwitch) {
    this.stopSwitch = stopSwitch;
    return this;
  }

  /** Stops the run when {@code bytes} bytes of artifacts have been read in one step; 0: at once. */
  public RestoreHarness stopAfter(long bytes) {
    stopAfterBytes = bytes;
    return this;
  }

  /**
   * Asks the target what it would do.
   *
   * @throws AssertionError if it does not say what stands there, or does not accept the kind
   */
  public RestorePlanned plan() throws IOException {
    SourceKind kind = captured.source().header().kind();
    if (!target.accepts(kind)) {
      throw new AssertionError("the target does not accept " + kind);
    }
    TargetDescription before = target.describe();
    var planning = new StrictRestorePlanning(captured.source());
    target.plan(planning);
    RestorePlanned planned = planning.end();
    requireUnchanged(before);
    return planned;
  }

  /** One call of {@link RestoreTarget#stage}. */
  public void stage() throws IOException {
    step("stage", target::stage);
  }

  /** One call of {@link RestoreTarget#publish}. */
  public void publish() throws IOException {
    step("publish", target::publish);
  }

  /** One call of {@link RestoreTarget#rollBack}; it is never stopped. */
  public void rollBack() throws IOException {
    var session = session("rollBack", new StopSwitch(), Long.MAX_VALUE);
    session.run(target::rollBack);
  }

  /**
   * Plans, stages and publishes; rolls back where one of the latter two fails.
   *
   * @throws BackupException.Refused with the blockers, if the plan has any
   */
  public RestorePlanned restore() throws IOException {
    RestorePlanned planned = plan();
    if (!planned.isPossible()) {
      throw new BackupException.Refused(
          CoreFailure.BLOCKED, "the target names blockers", planned.blockers());
    }
    try {
      stage();
      publish();
    } catch (IOException e) {
      rollBackAfter(e);
      throw e;
    }
    return planned;
  }

  /** Where the target says the restored system is. */
  public Optional<Endpoint> endpoint() {
    return Optional.ofNullable(log.endpoint);
  }

  /** Everything that the target found worth a look, in all steps so far. */
  public List<Finding> findings() {
    return List.copyOf(log.findings);
  }

  /** The last progress that was told; empty if there was none. */
  public Optional<Progress> progress() {
    return Optional.ofNullable(log.progress);
  }

  /** Artifacts that were opened as a whole, of any capture of the chain; ranges do not count. */
  public Set<ArtifactName> opened() {
    return Set.copyOf(log.opened);
  }

  /** Artifacts that were read to their end, and so are known to be good. */
  public Set<ArtifactName> verified() {
    return Set.copyOf(log.verified);
  }

  private void step(String name, StrictRestoreSession.Step step) throws IOException {
    if (stopAfterBytes == 0) {
      stopSwitch.stop();
    }
    TargetDescription before = target.describe();
    session(name, stopSwitch, stopAfterBytes).run(step);
    requireUnchanged(before);
  }

  private StrictRestoreSession session(String step, StopSwitch stopping, long stopAfter) {
    return new StrictRestoreSession(step, captured.chain(), earlier, stopping, stopAfter, log);
  }

  private void rollBackAfter(IOException failure) {
    try {
      rollBack();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  private void requireUnchanged(TargetDescription before) {
    TargetDescription after = target.describe();
    if (!before.equals(after)) {
      throw new AssertionError(
          "the target describes itself as %s before and as %s after".formatted(before, after));
    }
  }
}
