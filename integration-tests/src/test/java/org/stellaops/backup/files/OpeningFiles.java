package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.SourceDescription;

/** A source of all files of a directory, that opens them as the test says. */
final class OpeningFiles implements BackupSource {
  private final Path root;
  private final FileCapture.Opener opener;

  OpeningFiles(Path root, FileCapture.Opener opener) {
    this.root = root;
    this.opener = opener;
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(FileSource.KIND, Component.CONFIG, Stage.FILES);
  }

  @Override
  public void check(Checks checks) {}

  @Override
  public void capture(CaptureSession session) throws IOException {
    var selection =
        new FileSelection(root, List.of(""), List.of(), List.of(), new TreeSet<>(), false);
    new FileCapture(selection, FileSource.Seeds.NONE, false, session, opener).run();
  }
}
