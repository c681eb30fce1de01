package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.spi.RestorePlanning;

/** What a {@link FileTarget} says before it does anything. */
final class FileRestorePlan {
  private final Path root;
  private final FileTarget.Options options;
  private final RestorePlanning planning;

  FileRestorePlan(FileTarget.Options options, RestorePlanning planning) {
    this.root = options.root();
    this.options = options;
    this.planning = planning;
  }

  void run() throws IOException {
    planning.undo(
        options.replaces() ? RestorePlanning.Undo.SWAP_BACK : RestorePlanning.Undo.REMOVE);
    planning.state(state(root));
    Optional<TarIndex.Reader> first = isUsable() ? index(0) : Optional.empty();
    if (first.isPresent()) {
      try (var lines = new SectionLines(number -> number == 0 ? first : index(number))) {
        detailed(FileConflicts.of(lines, options));
      }
    } else {
      estimated();
    }
  }

  /** Of a section, if there is an identity to read it with. */
  private Optional<TarIndex.Reader> index(int number) throws IOException {
    if (number >= CapturedFiles.count(planning.requested())) {
      return Optional.empty();
    }
    ArtifactName name = FileSource.index(number + 1);
    return planning.open(name).map(in -> new TarIndex.Reader(in, name.value()));
  }

  /** What stands at a directory that files are restored to. */
  static TargetState state(Path root) throws IOException {
    Digest fingerprint = Digest.ofContent(root.toString().getBytes(StandardCharsets.UTF_8));
    Occupancy occupancy = occupancy(root);
    return new TargetState(
        occupancy,
        fingerprint,
        "%s is %s".formatted(root, occupancy.name().toLowerCase(Locale.ROOT)));
  }

  private static Occupancy occupancy(Path root) throws IOException {
    if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
      return Occupancy.ABSENT;
    }
    if (!Files.isDirectory(root)) {
      return Occupancy.OCCUPIED;
    }
    Occupancy found = Occupancy.EMPTY;
    try (var children = Files.newDirectoryStream(root)) {
      for (Path child : children) {
        if (child.getFileName().toString().startsWith(FileWalk.STAGING)) {
          return Occupancy.UNFINISHED_RESTORE;
        }
        found = Occupancy.OCCUPIED;
      }
    }
    return found;
  }

  /** Whether something can be put there at all; if not, that is a blocker. */
  private boolean isUsable() {
    Path there = root;
    while (!Files.exists(there, LinkOption.NOFOLLOW_LINKS)) {
      there = PrivateFiles.parent(there);
    }
    if (!Files.isDirectory(there)) {
      block(CoreFailure.TARGET_FAILED, "%s is no directory".formatted(there));
      return false;
    }
    if (!Files.isWritable(there)) {
      block(CoreFailure.TARGET_FAILED, "%s cannot be written by this process".formatted(there));
      return false;
    }
    return true;
  }

  private void detailed(FileConflicts found) {
    promise(found.files(), found.bytes());
    found.replaced().forEach(planning::overwrites);
    if (!found.isFree()) {
      block(CoreFailure.TARGET_NOT_EMPTY, "in the way: " + found.conflicts());
    }
  }

  /** Without an identity the names are not known; staging finds out before it changes anything. */
  private void estimated() {
    InventoryItem files =
        planning.requested().inventory().stream()
            .filter(i -> i.name().equals("files"))
            .findFirst()
            .orElse(InventoryItem.of("files", 0, 0));
    promise(files.count(), files.bytes());
    planning.advice(
        "files that are in the way",
        "are looked for when the restore is staged, or planned with an identity");
  }

  private void promise(long files, long bytes) {
    planning.step("put %d names below %s".formatted(files, root), bytes);
    planning.needsSpace(root, bytes);
  }

  private void block(CoreFailure code, String why) {
    planning.blocker(new Finding(code, root.toString(), why));
  }
}
