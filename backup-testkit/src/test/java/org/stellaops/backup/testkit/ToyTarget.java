package org.stellaops.backup.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Endpoint;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/** Restores what {@link ToySource} captured into a directory that is not there yet. */
final class ToyTarget implements RestoreTarget {
  private final Path live;
  private final Path staging;

  ToyTarget(Path live) {
    this.live = live;
    this.staging = live.resolveSibling(live.getFileName() + ".staging");
  }

  Path live() {
    return live;
  }

  @Override
  public TargetDescription describe() {
    return new TargetDescription(live.toString(), Map.of());
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return kind.equals(SourceKind.of("toy/1"));
  }

  @Override
  public void plan(RestorePlanning planning) {
    boolean isThere = Files.exists(live);
    planning.state(
        new TargetState(
            isThere ? Occupancy.OCCUPIED : Occupancy.ABSENT,
            Digest.ofContent(live.toString().getBytes(StandardCharsets.UTF_8)),
            live.toString()));
    planning.undo(RestorePlanning.Undo.REMOVE);
    planning.step("write files", planning.requested().header().plainBytes());
    if (isThere) {
      planning.blocker(
          new Finding(CoreFailure.TARGET_NOT_EMPTY, live.toString(), "something stands there"));
    }
  }

  @Override
  public void stage(RestoreSession session) throws IOException {
    remove(staging);
    Files.createDirectories(staging);
    for (CapturedSource link : session.chain()) {
      for (CapturedArtifact artifact : link.artifacts()) {
        session.stopping().check();
        write(session, link, artifact);
      }
    }
  }

  @Override
  public void publish(RestoreSession session) throws IOException {
    if (Files.exists(staging)) {
      Files.move(staging, live);
    }
    session.endpoint(new Endpoint(URI.create("file:///restored"), Map.of()));
  }

  @Override
  public void rollBack(RestoreSession session) throws IOException {
    remove(staging);
    remove(live);
  }

  private void write(RestoreSession session, CapturedSource link, CapturedArtifact artifact)
      throws IOException {
    String name = artifact.name().value();
    boolean isFile = name.startsWith("file.");
    try (InputStream in = session.open(link, artifact.name())) {
      Path to = isFile ? staging.resolve(name.substring("file.".length())) : staging.resolve(name);
      Files.copy(in, to, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      if (!isFile) {
        Files.delete(to);
      }
    }
  }

  private static void remove(Path tree) throws IOException {
    if (!Files.exists(tree)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(tree)) {
      List<Path> deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
      deepestFirst.forEach(ToyTarget::delete);
    }
  }

  private static void delete(Path path) {
    try {
      Files.delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
