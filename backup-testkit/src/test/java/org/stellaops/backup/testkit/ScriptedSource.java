package org.stellaops.backup.testkit;

import java.io.IOException;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.SourceDescription;

/** A source that does what the test says. */
record ScriptedSource(Script script) implements BackupSource {
  @Override
  public SourceDescription describe() {
    return SourceDescription.of("scripted/1", Component.CONFIG, Stage.FILES).incremental();
  }

  @Override
  public void check(Checks checks) {}

  @Override
  public void capture(CaptureSession session) throws IOException {
    script.capture(session);
  }

  interface Script {
    void capture(CaptureSession session) throws IOException;
  }
}
