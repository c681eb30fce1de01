package org.stellaops.backup.engine;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.StreamSession;

/** A stream that does what a test says. */
final class ScriptedStream implements ContinuousSource {
  /** What following does. */
  @FunctionalInterface
  interface Follow {
    void follow(StreamSession session) throws IOException;
  }

  private final Follow follow;

  private ScriptedStream(Follow follow) {
    this.follow = follow;
  }

  static ScriptedStream following(Follow follow) {
    return new ScriptedStream(follow);
  }

  /** Does this once, then waits to be stopped. */
  static ScriptedStream doing(Follow once, CountDownLatch done) {
    return new ScriptedStream(
        session -> {
          once.follow(session);
          done.countDown();
          untilStopped(session);
        });
  }

  @SuppressWarnings("try")
  static void untilStopped(StreamSession session) throws IOException {
    CountDownLatch stopped = new CountDownLatch(1);
    try (Closeable registration = session.stopping().onStop(stopped::countDown)) {
      stopped.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The true bytes of a range. */
  static void append(StreamSession session, long branch, long from, long to) throws IOException {
    SliceSpan span = ToyLog.span(branch, from, to);
    session.append(span, ToyLog.body(span));
  }

  /** The true bytes of a range. */
  static void merge(StreamSession session, long branch, long from, long to) throws IOException {
    SliceSpan span = ToyLog.span(branch, from, to);
    session.merge(span, ToyLog.body(span));
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of("toy-log/1", Component.of("database"), Stage.DATABASE);
  }

  @Override
  public void check(Checks checks) {
    checks.add(CheckResult.pass("check.stream", "there"));
  }

  @Override
  public void follow(StreamSession session) throws IOException {
    follow.follow(session);
  }
}
