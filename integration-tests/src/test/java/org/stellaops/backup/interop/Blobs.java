package org.stellaops.backup.interop;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.SourceDescription;

/** A source of bytes in memory, which may change between two captures. */
final class Blobs implements BackupSource {
  private final Map<String, byte[]> blobs = new TreeMap<>();

  Blobs with(String name, byte[] bytes) {
    blobs.put(name, bytes);
    return this;
  }

  Map<String, byte[]> all() {
    return blobs;
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of("blobs/1", Component.CONFIG, Stage.FILES);
  }

  @Override
  public void check(Checks checks) {
    checks.add(CheckResult.pass("check.blobs", blobs.size() + " in memory"));
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    for (Map.Entry<String, byte[]> blob : blobs.entrySet()) {
      session.artifact(
          ArtifactName.of(blob.getKey()), Form.CONTENT, out -> out.write(blob.getValue()));
    }
  }
}
