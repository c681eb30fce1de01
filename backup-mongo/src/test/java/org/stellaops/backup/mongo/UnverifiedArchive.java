package org.stellaops.backup.mongo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.SourceDescription;

/** An archive as it lies there, damaged or not: what storage may hand to a target. */
record UnverifiedArchive(Path archive) implements BackupSource {
  @Override
  public SourceDescription describe() {
    return SourceDescription.of("mongo-archive/1", Component.DATABASE, Stage.DOCUMENTS);
  }

  @Override
  public void check(Checks checks) {}

  @Override
  public void capture(CaptureSession session) throws IOException {
    ArtifactName name = ArtifactName.of(archive.getFileName().toString());
    session.artifact(name, Form.CONTENT, out -> Files.copy(archive, out));
  }
}
