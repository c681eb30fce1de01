package org.stellaops.backup.internal.disk;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Looks at files without following links. Remembers names of owners, since asking the system for
 * each file would take longer than reading it. One thread.
 */
public final class Inspector {
  /** Type bits of {@code st_mode} (POSIX sys/stat.h). */
  private static final int TYPE_BITS = 0170000;

  private static final int FILE = 0100000;
  private static final int DIRECTORY = 0040000;
  private static final int LINK = 0120000;

  private final Map<Integer, String> users = new HashMap<>();
  private final Map<Integer, String> groups = new HashMap<>();

  /** What stands there now, with its extended attributes. */
  public FileState inspect(Path path) throws IOException {
    FileState state = look(path);
    var user = userAttributes(path, state.type());
    return user.isEmpty()
        ? state
        : new FileState(
            state.type(),
            state.sizeBytes(),
            state.identity(),
            state.changed(),
            state.attributes().withUserAttributes(user));
  }

  /** What stands there now, without its extended attributes: one system call. */
  public FileState look(Path path) throws IOException {
    return path.getFileSystem().supportedFileAttributeViews().contains("unix")
        ? lookUnix(path)
        : lookAnywhere(path);
  }

  private FileState lookUnix(Path path) throws IOException {
    Map<String, Object> is =
        Files.readAttributes(
            path,
            "unix:mode,uid,gid,size,lastModifiedTime,ctime,ino,dev",
            LinkOption.NOFOLLOW_LINKS);
    int mode = get(is, "mode", Integer.class);
    int uid = get(is, "uid", Integer.class);
    int gid = get(is, "gid", Integer.class);
    FileState.Type type = type(mode & TYPE_BITS);
    Instant ctime = get(is, "ctime", FileTime.class).toInstant();
    String changed = ctime.getEpochSecond() + "." + ctime.getNano();
    return new FileState(
        type,
        type == FileState.Type.FILE ? get(is, "size", Long.class) : 0,
        is.get("dev") + "/" + is.get("ino") + "/" + changed,
        ctime,
        new FileAttributes(
            mode,
            uid,
            gid,
            userName(path, uid),
            groupName(path, gid),
            get(is, "lastModifiedTime", FileTime.class).toInstant(),
            new TreeMap<>()));
  }

  private static <T> T get(Map<String, Object> attributes, String name, Class<T> type) {
    return type.cast(requireNonNull(attributes.get(name), name));
  }

  private static FileState.Type type(int bits) {
    return switch (bits) {
      case FILE -> FileState.Type.FILE;
      case DIRECTORY -> FileState.Type.DIRECTORY;
      case LINK -> FileState.Type.LINK;
      default -> FileState.Type.OTHER;
    };
  }

  private static FileState lookAnywhere(Path path) throws IOException {
    var is = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    FileState.Type type =
        is.isRegularFile()
            ? FileState.Type.FILE
            : is.isDirectory()
                ? FileState.Type.DIRECTORY
                : is.isSymbolicLink() ? FileState.Type.LINK : FileState.Type.OTHER;
    Instant modified = is.lastModifiedTime().toInstant();
    int mode = type == FileState.Type.DIRECTORY ? 0755 : 0644;
    return new FileState(
        type,
        type == FileState.Type.FILE ? is.size() : 0,
        String.valueOf(is.fileKey()),
        Instant.MAX,
        new FileAttributes(mode, 0, 0, "", "", modified, new TreeMap<>()));
  }

  private String userName(Path path, int uid) throws IOException {
    String known = users.get(uid);
    if (known == null) {
      known = named(posix(path).owner().getName(), uid);
      users.put(uid, known);
    }
    return known;
  }

  private String groupName(Path path, int gid) throws IOException {
    String known = groups.get(gid);
    if (known == null) {
      known = named(posix(path).group().getName(), gid);
      groups.put(gid, known);
    }
    return known;
  }

  private static PosixFileAttributes posix(Path path) throws IOException {
    return Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
  }

  /** The JDK gives the number as text where there is no name. */
  private static String named(String name, int number) {
    return name.equals(Integer.toString(number)) ? "" : name;
  }

  /**
   * Extended attributes of files and directories; Linux allows no others in the namespace {@code
   * user} (xattr(7)). A file that may not be opened keeps them to itself: reading its bytes fails
   * later and says so.
   */
  private static SortedMap<String, ByteBuffer> userAttributes(Path path, FileState.Type type)
      throws IOException {
    SortedMap<String, ByteBuffer> found = new TreeMap<>();
    if (type != FileState.Type.FILE && type != FileState.Type.DIRECTORY) {
      return found;
    }
    var view =
        Files.getFileAttributeView(
            path, UserDefinedFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    if (view == null) {
      return found;
    }
    try {
      for (String name : view.list()) {
        ByteBuffer value = ByteBuffer.allocate(view.size(name));
        view.read(name, value);
        found.put(name, value.flip().asReadOnlyBuffer());
      }
    } catch (FileSystemException e) {
      // ENOTSUP or EACCES: there is no way to tell them apart, and both mean none for us.
      return new TreeMap<>();
    }
    return found;
  }
}
