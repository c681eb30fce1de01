package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.stellaops.backup.internal.pipeline.PackPipeline;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.plan.PlannedSource;
import org.stellaops.backup.spi.HoldContext;
import org.stellaops.backup.spi.Stopping;

/**
 * Captures the sources of one backup, one after the other, with every hold open; decides which
 * failure ends the run. Keeps what was captured open until it is closed.
 */
final class CaptureLoop implements Closeable {
  private final Attempt attempt;
  private final RunFindings findings;
  private final ProgressMeter progress;
  private final PackPipeline pipeline;
  private final Closing sessions = new Closing();
  private final RunProgress told;
  private final EarlierCaptures earlier;
  private final List<Captured> captures = new ArrayList<>();
  private final Map<SourceName, CapturedSource> captured = new LinkedHashMap<>();

  /** Everything stays the caller's. */
  CaptureLoop(
      Attempt attempt,
      RunFindings findings,
      ProgressMeter progress,
      PackPipeline pipeline,
      RunProgress told,
      EarlierCaptures earlier) {
    this.attempt = attempt;
    this.findings = findings;
    this.progress = progress;
    this.pipeline = pipeline;
    this.told = told;
    this.earlier = earlier;
  }

  /**
   * The captures that succeeded, at least one; valid until this is closed.
   *
   * @throws BackupException.Source if one failed that must not, or all did
   */
  List<Captured> run(List<PlannedSource> sources, WriterState state, Epoch epoch)
      throws IOException {
    SourceCapture.Shared shared =
        new SourceCapture.Shared(
            attempt,
            pipeline,
            epoch.with(attempt.keys().stateRecipient()),
            captured,
            state,
            progress);
    try (Closing holds = new Closing()) {
      for (PlannedSource source : held(sources, holds)) {
        Optional<Captured> before = earlier.of(source);
        if (before.isPresent()) {
          add(before.get());
        } else {
          capture(source, sessions.add(new SourceCapture(shared, source)));
        }
      }
    }
    if (captures.isEmpty()) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_FAILED, "every source failed: " + findings.all());
    }
    return List.copyOf(captures);
  }

  /** Opens the hold of every source; returns the sources to capture. */
  private List<PlannedSource> held(List<PlannedSource> sources, Closing holds) throws IOException {
    List<PlannedSource> held = new ArrayList<>();
    for (PlannedSource source : sources) {
      try {
        Closeable hold = source.source().hold(holdContext());
        holds.add(() -> release(source, hold));
        held.add(source);
      } catch (IOException e) {
        attempt.stopping().check();
        failOrSkip(source, "hold", e);
      }
    }
    return held;
  }

  private static void release(PlannedSource source, Closeable hold) throws BackupException {
    try {
      hold.close();
    } catch (IOException e) {
      throw translated(source, "release of the hold", e);
    }
  }

  private HoldContext holdContext() {
    return new HoldContext() {
      @Override
      public RunId run() {
        return attempt.run();
      }

      @Override
      public Stopping stopping() {
        return attempt.stopping();
      }
    };
  }

  private void capture(PlannedSource source, SourceCapture session) throws IOException {
    progress.begin("capture " + source.name(), 0);
    try {
      source.source().capture(session);
      session.complete();
    } catch (IOException e) {
      throwCause();
      failOrSkip(source, "capture", e);
      return;
    } catch (UncheckedIOException e) {
      throwCause();
      failOrSkip(source, "capture", Objects.requireNonNull(e.getCause()));
      return;
    } catch (RuntimeException mistake) {
      throwCause();
      throw mistake;
    } finally {
      session.end();
    }
    progress.end();
    findings.add(session.findings());
    add(session);
    if (told.isLong() && session.outcome() == Outcome.GOOD) {
      pipeline.flush();
      told.captured(session);
    }
  }

  private void add(Captured capture) {
    captures.add(capture);
    CapturedSource result = capture.result();
    captured.put(capture.source(), result);
    attempt.context().listeners().tell(l -> l.sourceCaptured(attempt.run(), result.header()));
  }

  /** A storage failure, or the end of the run, wins over what the source made of it. */
  private void throwCause() throws IOException {
    pipeline.throwFailure();
    attempt.stopping().check();
  }

  private void failOrSkip(PlannedSource source, String what, IOException e) throws BackupException {
    if (!source.mayFail()) {
      throw translated(source, what, e);
    }
    findings.skipped(source, Cause.words(e));
  }

  private static BackupException translated(PlannedSource source, String what, IOException e) {
    return e instanceof BackupException known
        ? known
        : new BackupException.Source(
            CoreFailure.SOURCE_FAILED,
            "%s of %s: %s".formatted(what, source.name(), Cause.words(e)),
            e);
  }

  @Override
  public void close() throws IOException {
    sessions.close();
  }
}
