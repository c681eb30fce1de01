package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.StoreAbility;

/** Who else than its owner can get at a directory with objects, by modes and owners. */
record DirectoryExposure(Path root) implements StoreAbility.Exposure {
  private static final String MODE = "sink: check.mode";
  private static final String OWNER = "sink: check.owner";
  private static final String PLACE = "sink: check.place";
  private static final int STICKY = 01000;
  private static final Set<PosixFilePermission> OTHERS =
      Set.copyOf(PosixFilePermissions.fromString("---rwxrwx"));
  private static final Set<PosixFilePermission> OTHERS_MAY_WRITE =
      Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);

  @Override
  public void check(Checks checks) throws IOException {
    try {
      if (!Files.getFileStore(root).supportsFileAttributeView("posix")) {
        checks.add(CheckResult.skip(MODE, "the file system of %s has no modes".formatted(root)));
        return;
      }
      PosixFileAttributes attributes = Files.readAttributes(root, PosixFileAttributes.class);
      checks.add(mode(attributes));
      checks.add(owner(attributes));
      checks.add(place());
    } catch (NoSuchFileException e) {
      checks.add(CheckResult.pass(MODE, root + " is not there yet, and will be made 0700"));
    }
  }

  private CheckResult mode(PosixFileAttributes attributes) {
    Set<PosixFilePermission> open = EnumSet.noneOf(PosixFilePermission.class);
    open.addAll(attributes.permissions());
    open.retainAll(OTHERS);
    String evidence =
        "%s is %s".formatted(root, PosixFilePermissions.toString(attributes.permissions()));
    return open.isEmpty()
        ? CheckResult.pass(MODE, evidence)
        : CheckResult.fail(
            MODE,
            evidence + ": others than its owner can get at it",
            CoreFailure.STORE_EXPOSED.remedy() + ": chmod 700 " + root);
  }

  /** Whoever owns it can open it to others. */
  private CheckResult owner(PosixFileAttributes attributes) {
    String owner = attributes.owner().getName();
    Optional<String> self = ProcessHandle.current().info().user();
    if (self.isEmpty()) {
      return CheckResult.skip(OWNER, "%s belongs to %s".formatted(root, owner));
    }
    return self.get().equals(owner)
        ? CheckResult.pass(OWNER, "%s belongs to %s".formatted(root, owner))
        : CheckResult.warn(
            OWNER,
            "%s belongs to %s, this process is %s".formatted(root, owner, self.get()),
            "give the directory to the service's account: chown %s %s".formatted(self.get(), root));
  }

  /** Whoever may write to the directory it stands in can put another one in its place. */
  private CheckResult place() throws IOException {
    Path parent = PrivateFiles.parent(root);
    Map<String, Object> found = Files.readAttributes(parent, "unix:mode");
    Set<PosixFilePermission> open = EnumSet.noneOf(PosixFilePermission.class);
    open.addAll(Files.getPosixFilePermissions(parent, LinkOption.NOFOLLOW_LINKS));
    open.retainAll(OTHERS_MAY_WRITE);
    boolean isSticky = found.get("mode") instanceof Integer mode && (mode & STICKY) != 0;
    return open.isEmpty() || isSticky
        ? CheckResult.pass(PLACE, "only the owner of %s can replace it".formatted(parent))
        : CheckResult.warn(
            PLACE,
            "others may write to %s, and so put another directory in its place".formatted(parent),
            "chmod go-w " + parent);
  }
}
