package org.stellaops.backup.internal.disk;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Gives attributes to files, as far as this process may. An owner's name counts before the number,
 * since another machine numbers its users differently. Remembers owners. One thread.
 */
public final class AttributeWriter {
  private static final int SET_UID_AND_GID = 06000;

  private final Map<String, Optional<UserPrincipal>> users = new HashMap<>();
  private final Map<String, Optional<GroupPrincipal>> groups = new HashMap<>();

  /**
   * Gives the attributes to what stands there; of a symbolic link, owner and time. Without the
   * right owner, set-uid and set-gid are not set.
   *
   * @return what could not be given, in words; empty if all is right
   */
  public Set<String> write(Path path, FileAttributes attributes) throws IOException {
    Set<String> missed = new TreeSet<>();
    boolean isLink = Files.isSymbolicLink(path);
    // Before the mode: setting them needs the right to write the file (xattr(7)).
    if (!isLink && !writeUserAttributes(path, attributes)) {
      missed.add("extended attributes");
    }
    boolean isOwned = writeOwner(path, attributes);
    if (!isOwned) {
      missed.add("owners");
    }
    if (!isLink && hasView(path, "unix")) {
      int mode = isOwned ? attributes.mode() : attributes.mode() & ~SET_UID_AND_GID;
      Files.setAttribute(path, "unix:mode", mode);
    }
    Files.getFileAttributeView(path, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
        .setTimes(FileTime.from(attributes.modified()), null, null);
    return missed;
  }

  private static boolean writeUserAttributes(Path path, FileAttributes attributes)
      throws IOException {
    if (attributes.userAttributes().isEmpty()) {
      return true;
    }
    var view = Files.getFileAttributeView(path, UserDefinedFileAttributeView.class);
    if (view == null) {
      return false;
    }
    try {
      for (var attribute : attributes.userAttributes().entrySet()) {
        view.write(attribute.getKey(), attribute.getValue().duplicate());
      }
      return true;
    } catch (FileSystemException e) {
      // ENOTSUP: this file system has none. The caller says so, once for all files.
      return false;
    }
  }

  private boolean writeOwner(Path path, FileAttributes attributes) throws IOException {
    if (!hasView(path, "unix")) {
      return true;
    }
    var posix =
        Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    try {
      var user = user(path, attributes.user());
      if (user.isPresent()) {
        posix.setOwner(user.get());
      } else {
        Files.setAttribute(path, "unix:uid", attributes.uid(), LinkOption.NOFOLLOW_LINKS);
      }
      var group = group(path, attributes.group());
      if (group.isPresent()) {
        posix.setGroup(group.get());
      } else {
        Files.setAttribute(path, "unix:gid", attributes.gid(), LinkOption.NOFOLLOW_LINKS);
      }
      return true;
    } catch (FileSystemException e) {
      // Only the superuser gives files away; the caller says so, once for all files.
      return false;
    }
  }

  private Optional<UserPrincipal> user(Path path, String name) throws IOException {
    Optional<UserPrincipal> known = users.get(name);
    if (known == null) {
      known = lookUpUser(path, name);
      users.put(name, known);
    }
    return known;
  }

  private Optional<GroupPrincipal> group(Path path, String name) throws IOException {
    Optional<GroupPrincipal> known = groups.get(name);
    if (known == null) {
      known = lookUpGroup(path, name);
      groups.put(name, known);
    }
    return known;
  }

  private static Optional<UserPrincipal> lookUpUser(Path path, String name) throws IOException {
    try {
      var service = path.getFileSystem().getUserPrincipalLookupService();
      return name.isEmpty() ? Optional.empty() : Optional.of(service.lookupPrincipalByName(name));
    } catch (UserPrincipalNotFoundException e) {
      return Optional.empty();
    }
  }

  private static Optional<GroupPrincipal> lookUpGroup(Path path, String name) throws IOException {
    try {
      var service = path.getFileSystem().getUserPrincipalLookupService();
      return name.isEmpty()
          ? Optional.empty()
          : Optional.of(service.lookupPrincipalByGroupName(name));
    } catch (UserPrincipalNotFoundException e) {
      return Optional.empty();
    }
  }

  private static boolean hasView(Path path, String name) {
    return path.getFileSystem().supportedFileAttributeViews().contains(name);
  }
}
