package org.stellaops.backup.files;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/**
 * Artifacts as files. Staged in a directory beside the target, which takes its place as a whole;
 * where a capture needs others, each has a directory of its own, called after its snapshot.
 */
final class RawTarget implements RestoreTarget {
  private static final int BUFFER_BYTES = 1 << 16;

  private final Path directory;

  RawTarget(Path directory) {
    this.directory = directory;
  }

  @Override
  public TargetDescription describe() {
    return new TargetDescription(directory.toString(), Map.of("form", "raw"));
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return true;
  }

  @Override
  public void plan(RestorePlanning planning) throws IOException {
    long bytes =
        planning.requested().artifacts().stream().mapToLong(CapturedArtifact::plainBytes).sum();
    TargetState state = FileRestorePlan.state(directory);
    planning.state(state);
    planning.undo(RestorePlanning.Undo.REMOVE);
    planning.step("write artifacts as files to " + directory, bytes);
    planning.needsSpace(PrivateFiles.parent(directory), bytes);
    if (state.occupancy() != TargetState.Occupancy.ABSENT
        && state.occupancy() != TargetState.Occupancy.EMPTY) {
      planning.blocker(
          new Finding(
              CoreFailure.TARGET_NOT_EMPTY, directory.toString(), "neither absent nor empty"));
    }
  }

  @Override
  public void stage(RestoreSession session) throws IOException {
    Path staging = staging(session);
    PrivateFiles.deleteTree(staging);
    PrivateFiles.createAllShared(PrivateFiles.parent(staging));
    PrivateFiles.createDirectory(staging);
    long bytes = 0;
    long expectedBytes =
        session.chain().stream()
            .flatMap(c -> c.artifacts().stream())
            .mapToLong(CapturedArtifact::plainBytes)
            .sum();
    for (CapturedSource of : session.chain()) {
      Path into = staging;
      if (session.chain().size() > 1) {
        into = staging.resolve(of.header().snapshot().value());
        PrivateFiles.createDirectory(into);
      }
      for (CapturedArtifact artifact : of.artifacts()) {
        write(session, of, artifact, into);
        bytes += artifact.plainBytes();
        session.progress(bytes, 0, expectedBytes);
      }
      PrivateFiles.syncDirectory(into);
    }
  }

  private static void write(
      RestoreSession session, CapturedSource of, CapturedArtifact artifact, Path into)
      throws IOException {
    try (InputStream in = session.open(of, artifact.name());
        FileOutputStream out = PrivateFiles.create(into.resolve(artifact.name().value()))) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        session.stopping().check();
        out.write(buffer, 0, n);
      }
      out.getFD().sync();
    }
  }

  @Override
  public void publish(RestoreSession session) throws IOException {
    Path staging = staging(session);
    if (!Files.isDirectory(staging, LinkOption.NOFOLLOW_LINKS)) {
      requirePublished(session);
      return;
    }
    Files.deleteIfExists(published(session));
    PrivateFiles.create(published(session), new byte[0]);
    // rename(2) replaces an empty directory, and refuses any other.
    try {
      Files.move(staging, directory, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new BackupException.Target(
          CoreFailure.TARGET_NOT_EMPTY,
          "publish %s: %s %s".formatted(directory, e.getClass().getSimpleName(), e.getMessage()),
          e);
    }
    PrivateFiles.syncDirectory(PrivateFiles.parent(directory));
  }

  private void requirePublished(RestoreSession session) throws BackupException.Target {
    CapturedSource newest = session.chain().get(session.chain().size() - 1);
    Path in =
        session.chain().size() > 1
            ? directory.resolve(newest.header().snapshot().value())
            : directory;
    for (CapturedArtifact artifact : newest.artifacts()) {
      if (!Files.exists(in.resolve(artifact.name().value()), LinkOption.NOFOLLOW_LINKS)) {
        throw new BackupException.Target(
            CoreFailure.TARGET_FAILED, "nothing is staged for " + directory);
      }
    }
  }

  @Override
  public void rollBack(RestoreSession session) throws IOException {
    Path staging = staging(session);
    boolean isPublished =
        Files.exists(published(session), LinkOption.NOFOLLOW_LINKS)
            && !Files.exists(staging, LinkOption.NOFOLLOW_LINKS);
    if (isPublished) {
      PrivateFiles.deleteTree(directory);
    }
    PrivateFiles.deleteTree(staging);
    Files.deleteIfExists(published(session));
  }

  @Override
  public void settle(RestoreSession session) throws IOException {
    Files.deleteIfExists(published(session));
  }

  /** Is there from just before the directory gets its name: it is ours to remove again. */
  private Path published(RestoreSession session) {
    return directory.resolveSibling(
        "." + directory.getFileName() + ".stella-published-" + session.run());
  }

  private Path staging(RestoreSession session) {
    return directory.resolveSibling(
        "." + directory.getFileName() + FileWalk.STAGING + session.run());
  }

  @Override
  public String toString() {
    return "FileTarget raw " + directory;
  }
}
