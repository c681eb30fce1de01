package org.stellaops.backup.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.ParentCapture;
import org.stellaops.backup.spi.SourceDescription;

/**
 * The smallest honest source: each file of one directory is an artifact. Where a parent remembers
 * the list of files, only files that are not in that list are captured.
 */
final class ToySource implements BackupSource {
  static final ArtifactName LIST = ArtifactName.of("files.list");
  private final Path directory;

  ToySource(Path directory) {
    this.directory = directory;
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of("toy/1", Component.CONFIG, Stage.FILES).incremental();
  }

  @Override
  public void check(Checks checks) {
    checks.add(
        isThere()
            ? CheckResult.pass("check.toy.directory", "it is there")
            : CheckResult.fail("check.toy.directory", "it is missing", "create it"));
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    List<Path> files = files();
    List<String> known = known(session);
    session.expect(InventoryItem.of("files", files.size(), 0));
    long bytes = 0;
    long count = 0;
    for (Path file : files) {
      session.stopping().check();
      if (!known.contains(file.getFileName().toString())) {
        bytes += capture(session, file).plainBytes();
      }
      session.progress(bytes, ++count, 0);
    }
    session.artifact(LIST, Form.WHOLE.remembered(), out -> writeList(files, out));
    session.captured(InventoryItem.of("files", count, bytes));
    session.property("consistency", "NONE");
  }

  boolean isThere() {
    return Files.isDirectory(directory);
  }

  private List<Path> files() throws IOException {
    if (!isThere()) {
      throw new BackupException.Source(
          CoreFailure.REQUIRED_MISSING, "read " + directory.getFileName() + ": not a directory");
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  private static List<String> known(CaptureSession session) throws IOException {
    Optional<ParentCapture> parent = session.parent();
    if (parent.isEmpty() || session.requested() == CaptureKind.FULL) {
      return List.of();
    }
    Optional<InputStream> list = parent.get().recall(LIST);
    if (list.isEmpty()) {
      return List.of();
    }
    try (InputStream in = list.get()) {
      session.dependsOn(parent.get());
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }

  private static CapturedArtifact capture(CaptureSession session, Path file) throws IOException {
    ArtifactName name = ArtifactName.of("file." + file.getFileName());
    return session.artifact(
        name,
        Form.CONTENT,
        out -> {
          try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[8192];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
              session.stopping().check();
              out.write(buffer, 0, n);
            }
            out.boundary();
          }
        });
  }

  private static void writeList(List<Path> files, ArtifactOutput out) throws IOException {
    for (Path file : files) {
      out.write((file.getFileName() + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }
}
