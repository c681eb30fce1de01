package org.stellaops.backup.secrets;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/**
 * Puts secrets into a dotenv file: lines of the same names are replaced, other lines, comments and
 * the order stay, new names go to the end. The file is 0600 afterwards, and replaced as a whole;
 * the old one stays beside it as {@code <file>.bak}, also 0600.
 */
public final class SecretTarget implements RestoreTarget {
  private final Path file;

  private SecretTarget(Path file) {
    this.file = file.toAbsolutePath().normalize();
  }

  /** The file, which need not exist; the directory it stands in must. */
  public static SecretTarget dotenv(Path file) {
    return new SecretTarget(file);
  }

  @Override
  public TargetDescription describe() {
    return new TargetDescription(file.toString(), Map.of("format", "dotenv"));
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return kind.value().equals(SecretSource.KIND);
  }

  @Override
  public void plan(RestorePlanning planning) throws IOException {
    boolean isThere = Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    planning.undo(isThere ? RestorePlanning.Undo.SWAP_BACK : RestorePlanning.Undo.REMOVE);
    planning.step("put secrets into " + file, bytes(planning.requested()));
    if (!Files.isDirectory(PrivateFiles.parent(file))) {
      planning.blocker(
          new Finding(
              CoreFailure.TARGET_FAILED,
              file.toString(),
              "the directory it stands in is not there"));
    }
    try (Dotenv live = readLive()) {
      List<String> names =
          List.of(
              planning.requested().properties().getOrDefault(SecretSource.NAMES, "").split(","));
      names.stream()
          .filter(live.names()::contains)
          .forEach(n -> planning.overwrites(n + " in " + file));
      planning.state(state(isThere, live));
    } catch (BackupException.Target e) {
      planning.blocker(new Finding(e.code(), file.toString(), e.detail()));
      planning.state(state(isThere, Dotenv.empty()));
    }
  }

  private static long bytes(CapturedSource requested) {
    return requested.artifacts().stream().mapToLong(a -> a.plainBytes()).sum();
  }

  private TargetState state(boolean isThere, Dotenv live) {
    String identity = file + "\n" + String.join("\n", new TreeSet<>(live.names()));
    return new TargetState(
        isThere ? TargetState.Occupancy.OCCUPIED : TargetState.Occupancy.ABSENT,
        Digest.ofContent(identity.getBytes(StandardCharsets.UTF_8)),
        isThere ? "%s with %d names".formatted(file, live.names().size()) : file + " is not there");
  }

  @Override
  public void stage(RestoreSession session) throws IOException {
    Path staged = staged(session.run());
    Files.deleteIfExists(staged);
    try (Dotenv captured = readCaptured(session);
        Dotenv live = readLive()) {
      byte[] merged = live.encodeWith(captured);
      try {
        PrivateFiles.create(staged, merged);
        keepOwner(staged);
      } finally {
        Arrays.fill(merged, (byte) 0);
      }
    } catch (BackupException e) {
      throw e;
    } catch (IOException e) {
      throw failed("stage", e);
    }
  }

  /** The service that reads the file goes on to own it, if we may see to that. */
  private void keepOwner(Path staged) throws IOException {
    var view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
    if (view == null || !Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try {
      var fresh = Files.getFileAttributeView(staged, PosixFileAttributeView.class);
      fresh.setOwner(view.readAttributes().owner());
      fresh.setGroup(view.readAttributes().group());
    } catch (FileSystemException e) {
      // Only the superuser gives files away.
    }
  }

  @Override
  public void publish(RestoreSession session) throws IOException {
    Path staged = staged(session.run());
    try {
      if (!Files.exists(staged, LinkOption.NOFOLLOW_LINKS)) {
        requirePublished(session);
        return;
      }
      keepOld(session.run());
      PrivateFiles.moveOver(staged, file, suffix(session.run()));
      PrivateFiles.syncDirectory(PrivateFiles.parent(file));
    } catch (BackupException e) {
      throw e;
    } catch (IOException e) {
      throw failed("publish", e);
    }
  }

  /** Nothing is staged: fine if that is because it has been published. */
  private void requirePublished(RestoreSession session) throws IOException {
    try (Dotenv captured = readCaptured(session);
        Dotenv live = readLive()) {
      for (String name : captured.names()) {
        if (!live.hasSame(name, captured)) {
          throw new BackupException.Target(
              CoreFailure.TARGET_FAILED, "publish %s: nothing is staged".formatted(file));
        }
      }
    }
  }

  /** What is kept to roll back: the old file, or the knowledge that there was none. */
  private void keepOld(RunId run) throws IOException {
    Files.deleteIfExists(undo(run));
    Files.deleteIfExists(absent(run));
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      PrivateFiles.create(absent(run), new byte[0]);
      return;
    }
    PrivateFiles.keep(file, undo(run));
    Path fresh = file.resolveSibling(file.getFileName() + ".bak" + suffix(run));
    Files.deleteIfExists(fresh);
    PrivateFiles.copyBytes(file, fresh);
    Files.move(
        fresh, file.resolveSibling(file.getFileName() + ".bak"), StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public void rollBack(RestoreSession session) throws IOException {
    RunId run = session.run();
    try {
      Files.deleteIfExists(staged(run));
      if (Files.exists(undo(run), LinkOption.NOFOLLOW_LINKS)) {
        PrivateFiles.moveOver(undo(run), file, suffix(run));
      } else if (Files.deleteIfExists(absent(run))) {
        Files.deleteIfExists(file);
      }
      PrivateFiles.syncDirectory(PrivateFiles.parent(file));
    } catch (IOException e) {
      throw failed("roll back", e);
    }
  }

  @Override
  public void settle(RestoreSession session) throws IOException {
    Files.deleteIfExists(undo(session.run()));
    Files.deleteIfExists(absent(session.run()));
  }

  private Dotenv readCaptured(RestoreSession session) throws IOException {
    CapturedSource newest = session.chain().get(session.chain().size() - 1);
    try (InputStream in = session.open(newest, SecretSource.ARTIFACT)) {
      return Dotenv.read(in);
    } catch (Dotenv.Malformed e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED, "%s: %s".formatted(SecretSource.ARTIFACT, e.getMessage()));
    }
  }

  private Dotenv readLive() throws IOException {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return Dotenv.empty();
    }
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new BackupException.Target(
          CoreFailure.TARGET_FAILED, "%s is no regular file".formatted(file));
    }
    try {
      return Dotenv.read(file);
    } catch (Dotenv.Malformed e) {
      throw new BackupException.Target(
          CoreFailure.TARGET_FAILED, "%s: %s".formatted(file, e.getMessage()));
    } catch (IOException e) {
      throw failed("read", e);
    }
  }

  private BackupException.Target failed(String tried, IOException e) {
    return new BackupException.Target(
        CoreFailure.TARGET_FAILED,
        "%s %s: %s".formatted(tried, file, e.getClass().getSimpleName()),
        e);
  }

  private static String suffix(RunId run) {
    return ".stella-restore-" + run;
  }

  private Path staged(RunId run) {
    return file.resolveSibling(file.getFileName() + suffix(run));
  }

  private Path undo(RunId run) {
    return file.resolveSibling(file.getFileName() + ".stella-undo-" + run);
  }

  private Path absent(RunId run) {
    return file.resolveSibling(file.getFileName() + ".stella-absent-" + run);
  }

  @Override
  public String toString() {
    return "SecretTarget " + file;
  }
}
