package org.stellaops.backup.mongo;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Properties;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

/** A capture in files, so that several processes can restore the same. */
final class KeptCapture implements BackupSource {
  private static final String FACTS = "facts.properties";

  private final Path directory;

  private KeptCapture(Path directory) {
    this.directory = directory;
  }

  static void keep(Captured captured, Path directory) throws IOException {
    for (ArtifactName name : captured.names()) {
      Files.write(directory.resolve(name.value()), captured.bytes(name.value()));
    }
    CapturedSource source = captured.source();
    Properties facts = new Properties();
    source.properties().forEach((k, v) -> facts.setProperty("property." + k, v));
    for (InventoryItem item : source.inventory()) {
      facts.setProperty("count." + item.name(), item.count() + " " + item.bytes());
    }
    if (source.header().span().isPresent()) {
      CaptureSpan span = source.header().span().get();
      facts.setProperty("start", text(span.start()));
      facts.setProperty("end", text(span.end()));
      facts.setProperty("from", span.recoverableFrom().toString());
    }
    try (OutputStream out = Files.newOutputStream(directory.resolve(FACTS))) {
      facts.store(out, null);
    }
  }

  static Captured in(Path directory) throws IOException {
    return CaptureHarness.of(new KeptCapture(directory)).capture();
  }

  private static String text(Position position) {
    return "%s %d %d %s"
        .formatted(position.lineage(), position.branch(), position.offset(), position.text());
  }

  private static Position position(String text) {
    String[] words = text.split(" ");
    return new Position(words[0], Long.parseLong(words[1]), Long.parseLong(words[2]), words[3]);
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(Layout.KIND, Component.DATABASE, Stage.DOCUMENTS);
  }

  @Override
  public void check(Checks checks) {
    // nothing can be wrong with it
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    Properties facts = new Properties();
    try (InputStream in = Files.newInputStream(directory.resolve(FACTS))) {
      facts.load(in);
    }
    String archive = facts.getProperty("property." + Layout.ARCHIVE_PROPERTY);
    session.artifact(ArtifactName.of(archive), Form.CONTENT, out -> copy(archive, out));
    String meta = Layout.META.value();
    session.artifact(Layout.META, Form.WHOLE.remembered(), out -> copy(meta, out));
    for (String key : facts.stringPropertyNames()) {
      if (key.startsWith("property.")) {
        session.property(key.substring("property.".length()), facts.getProperty(key));
      } else if (key.startsWith("count.")) {
        String[] counts = facts.getProperty(key).split(" ");
        session.captured(
            InventoryItem.of(
                key.substring("count.".length()),
                Long.parseLong(counts[0]),
                Long.parseLong(counts[1])));
      }
    }
    if (facts.containsKey("start")) {
      session.span(
          new CaptureSpan(
              position(facts.getProperty("start")),
              position(facts.getProperty("end")),
              Instant.parse(facts.getProperty("from"))));
    }
  }

  private void copy(String name, OutputStream out) throws IOException {
    Files.copy(directory.resolve(name), out);
  }
}
