package org.stellaops.backup.engine;

import java.io.Closeable;
import java.io.IOException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.HoldContext;
import org.stellaops.backup.spi.SourceDescription;

/** A source that does what a test says; of the kind that {@link BytesSource.Target} takes. */
final class ScriptedSource implements BackupSource {
  /** What a capture does. */
  @FunctionalInterface
  interface Capture {
    void run(CaptureSession session) throws IOException;
  }

  /** What opening a hold does. */
  @FunctionalInterface
  interface Hold {
    Closeable open(HoldContext context) throws IOException;
  }

  /** What a check does. */
  @FunctionalInterface
  interface Check {
    void run(Checks checks) throws IOException;
  }

  private final SourceDescription description;
  private final Capture capture;
  private final Hold hold;
  private final Check check;

  private ScriptedSource(SourceDescription description, Capture capture, Hold hold, Check check) {
    this.description = description;
    this.capture = capture;
    this.hold = hold;
    this.check = check;
  }

  static ScriptedSource capturing(Capture capture) {
    return new ScriptedSource(
        SourceDescription.of("bytes/1", Component.of("config"), Stage.FILES),
        capture,
        context -> () -> {},
        checks -> checks.add(CheckResult.pass("check.script", "there")));
  }

  ScriptedSource holding(Hold newHold) {
    return new ScriptedSource(description, capture, newHold, check);
  }

  ScriptedSource checked(CheckResult result) {
    return checking(checks -> checks.add(result));
  }

  ScriptedSource checking(Check newCheck) {
    return new ScriptedSource(description, capture, hold, newCheck);
  }

  ScriptedSource incremental() {
    return new ScriptedSource(description.incremental(), capture, hold, check);
  }

  ScriptedSource at(Stage stage) {
    return new ScriptedSource(
        SourceDescription.of("bytes/1", description.component(), stage), capture, hold, check);
  }

  @Override
  public SourceDescription describe() {
    return description;
  }

  @Override
  public void check(Checks checks) throws IOException {
    check.run(checks);
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    capture.run(session);
  }

  @Override
  public Closeable hold(HoldContext context) throws IOException {
    return hold.open(context);
  }
}
