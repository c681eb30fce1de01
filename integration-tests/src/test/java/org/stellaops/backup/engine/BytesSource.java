package org.stellaops.backup.engine;

import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.TargetDescription;

/**
 * A source of byte arrays, and the target that takes them back: a whole stranger's implementation.
 */
final class BytesSource implements BackupSource {
  private final Map<String, byte[]> artifacts = new LinkedHashMap<>();
  private final Component component;
  private Form form = Form.CONTENT;

  BytesSource(String component) {
    this.component = Component.of(component);
  }

  static BytesSource of(String name, byte[] bytes) {
    return new BytesSource("config").with(name, bytes);
  }

  BytesSource with(String name, byte[] bytes) {
    artifacts.put(name, bytes);
    return this;
  }

  Map<String, byte[]> artifacts() {
    return artifacts;
  }

  BytesSource form(Form newForm) {
    form = newForm;
    return this;
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of("bytes/1", component, Stage.FILES);
  }

  @Override
  public void check(Checks checks) {
    checks.add(CheckResult.pass("check.bytes", "there"));
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    for (Map.Entry<String, byte[]> artifact : artifacts.entrySet()) {
      session.artifact(
          ArtifactName.of(artifact.getKey()), form, out -> out.write(artifact.getValue()));
      session.captured(InventoryItem.of(artifact.getKey(), 1, artifact.getValue().length));
    }
  }

  /** Where restored artifacts go. */
  static final class Target implements RestoreTarget {
    final Map<String, byte[]> staged = new LinkedHashMap<>();
    final Map<String, byte[]> restored = new LinkedHashMap<>();

    @Override
    public TargetDescription describe() {
      return new TargetDescription("memory", Map.of());
    }

    @Override
    public boolean accepts(SourceKind kind) {
      return kind.value().equals("bytes/1");
    }

    @Override
    public void plan(RestorePlanning planning) {
      planning.undo(RestorePlanning.Undo.REMOVE);
      planning.step("put into memory", planning.requested().header().plainBytes());
    }

    @Override
    public void stage(RestoreSession session) throws IOException {
      for (CapturedSource source : session.chain()) {
        for (CapturedArtifact artifact : source.artifacts()) {
          try (InputStream in = session.open(source, artifact.name())) {
            staged.put(artifact.name().value(), in.readAllBytes());
          }
        }
      }
    }

    @Override
    public void publish(RestoreSession session) {
      restored.putAll(staged);
    }

    @Override
    public void rollBack(RestoreSession session) {
      staged.clear();
      restored.clear();
    }
  }
}
