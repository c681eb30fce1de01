package org.stellaops.backup.files;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;

/**
 * The files below a directory as objects. Listed in the order of the bytes of their names, so that
 * the token of a page is the last name before it. Symbolic links are refused wherever they stand
 * below the directory: they lead out of it.
 */
final class DirectoryReader implements ReadableStore {
  /** A page is held in memory, and each page lists the directories on its way again. */
  static final int PAGE_OBJECTS = 4096;

  private static final int NANO_DIGITS = 9;

  private final Path root;
  private final Set<String> hidden;
  private final DirectoryFailures failures;

  /**
   * @param hidden directories at the top that are not objects
   */
  DirectoryReader(Path root, Set<String> hidden) {
    this.root = root;
    this.hidden = hidden;
    this.failures = new DirectoryFailures(root);
  }

  /** Where the object is; its parents are directories, as far as they exist. */
  Path resolve(ObjectName name) throws BackupException.Sink {
    String[] segments = name.value().split("/", -1);
    if (hidden.contains(segments[0])) {
      throw failures.refused("'%s' is no name of an object in %s".formatted(name, root));
    }
    Path at = root;
    for (String segment : segments) {
      refuseLink(at);
      at = at.resolve(segment);
    }
    refuseLink(at);
    return at;
  }

  private void refuseLink(Path at) throws BackupException.Sink {
    if (!at.equals(root) && Files.isSymbolicLink(at)) {
      throw failures.refused("'%s' is a symbolic link, which a store never follows".formatted(at));
    }
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    Path file = resolve(name);
    try {
      var is = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      if (!is.isRegularFile()) {
        throw new NoSuchFileException(file.toString(), null, "not a file");
      }
      return new FileRange(file, range, is.size());
    } catch (IOException e) {
      throw failures.translate("open " + name, isNoDirectory(e) ? absent(file) : e);
    }
  }

  /** ENOTDIR: some parent of the name is an object, so there is none of this name. */
  private static boolean isNoDirectory(IOException e) {
    String message = e.getMessage();
    return e instanceof NotDirectoryException
        || (message != null && message.contains("Not a directory"));
  }

  private static NoSuchFileException absent(Path file) {
    return new NoSuchFileException(file.toString());
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) throws IOException {
    var page = new Page(prefix, from.equals(PageToken.START) ? "" : from.value());
    int slash = prefix.lastIndexOf('/');
    String directory = slash < 0 ? "" : prefix.substring(0, slash);
    if (from.equals(PageToken.END) || !isListable(directory)) {
      return new ObjectPage(List.of(), PageToken.END);
    }
    try {
      Path start = directory.isEmpty() ? root : resolve(ObjectName.of(directory));
      if (Files.isDirectory(start, LinkOption.NOFOLLOW_LINKS) || start.equals(root)) {
        page.walk(start, directory.isEmpty() ? "" : directory + "/");
      }
    } catch (NoSuchFileException e) {
      // Nothing was ever put, or a directory went away: nothing more to list.
    } catch (IOException e) {
      throw failures.translate("list '" + prefix + "'", e);
    }
    return page.finish();
  }

  /** Whether an object's name can begin so; no other prefix finds anything. */
  private boolean isListable(String directory) {
    if (directory.isEmpty()) {
      return true;
    }
    try {
      return !hidden.contains(ObjectName.of(directory).value().split("/", 2)[0]);
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  @Override
  public StoreTraits traits() {
    return new StoreTraits(false, true, Long.MAX_VALUE, Map.of());
  }

  @Override
  public void close() {}

  /** One page: the first objects whose names begin with the prefix and lie behind a name. */
  private final class Page {
    private final String prefix;
    private final String behind;
    private final List<StoredObject> objects = new ArrayList<>();
    private boolean isFull;

    Page(String prefix, String behind) {
      this.prefix = prefix;
      this.behind = behind;
    }

    void walk(Path directory, String name) throws IOException {
      for (Child child : children(directory, name)) {
        if (isFull) {
          return;
        }
        if (child.is().isDirectory()) {
          walkUnlessGone(child);
        } else {
          add(child);
        }
      }
    }

    private void walkUnlessGone(Child child) throws IOException {
      try {
        walk(child.path(), child.sortKey());
      } catch (NoSuchFileException e) {
        // Removed since its parent was listed.
      }
    }

    private void add(Child child) throws BackupException.Sink {
      if (objects.size() == PAGE_OBJECTS) {
        isFull = true;
        return;
      }
      objects.add(
          new StoredObject(objectName(child), child.is().size(), DirectoryReader.version(child)));
    }

    private List<Child> children(Path directory, String name) throws IOException {
      List<Child> children = new ArrayList<>();
      try (var paths = Files.newDirectoryStream(directory)) {
        for (Path path : paths) {
          Child child = child(path, name + path.getFileName());
          if (child != null && isWanted(child)) {
            children.add(child);
          }
        }
      } catch (DirectoryIteratorException e) {
        throw e.getCause();
      }
      children.sort((a, b) -> TarMember.BY_BYTES.compare(a.sortKey(), b.sortKey()));
      return children;
    }

    private @Nullable Child child(Path path, String name) throws IOException {
      try {
        var is = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        return new Child(path, name, is);
      } catch (NoSuchFileException e) {
        return null;
      }
    }

    private boolean isWanted(Child child) throws BackupException.Sink {
      String key = child.sortKey();
      if (hidden.contains(child.name()) || !(key.startsWith(prefix) || prefix.startsWith(key))) {
        return false;
      }
      if (child.is().isSymbolicLink()) {
        refuseLink(child.path());
      }
      if (child.is().isDirectory()) {
        return behind.startsWith(key) || TarMember.BY_BYTES.compare(key, behind) > 0;
      }
      return child.is().isRegularFile()
          && key.startsWith(prefix)
          && TarMember.BY_BYTES.compare(key, behind) > 0;
    }

    ObjectPage finish() {
      return new ObjectPage(
          objects,
          isFull ? new PageToken(objects.get(objects.size() - 1).name().value()) : PageToken.END);
    }
  }

  /** One name in a directory. */
  private record Child(Path path, String name, BasicFileAttributes is) {
    /** A directory sorts by what is in it: its name and a slash. */
    String sortKey() {
      return is.isDirectory() ? name + "/" : name;
    }
  }

  private ObjectName objectName(Child child) throws BackupException.Sink {
    try {
      if (child.name().indexOf('\uFFFD') < 0) {
        return ObjectName.of(child.name());
      }
      throw failures.refused("a file in %s has a name that is not UTF-8".formatted(root));
    } catch (IllegalArgumentException e) {
      throw failures.refused(
          "a file in %s cannot be an object: %s".formatted(root, e.getMessage()));
    }
  }

  private static String version(Child child) {
    var modified = child.is().lastModifiedTime().toInstant();
    String nanos = Integer.toString(modified.getNano());
    return modified.getEpochSecond()
        + "."
        + "0".repeat(NANO_DIGITS - nanos.length())
        + nanos
        + "-"
        + child.is().size()
        + "-"
        + child.is().fileKey();
  }

  /** Some bytes of a file. Not a channel: an interrupt does not close it. */
  private static final class FileRange extends InputStream {
    private final FileInputStream in;
    private long left;

    FileRange(Path file, ByteRange range, long sizeBytes) throws IOException {
      in = new FileInputStream(file.toFile());
      left = range.lengthBytes();
      try {
        in.skipNBytes(Math.min(range.offset(), sizeBytes));
      } catch (IOException e) {
        in.close();
        throw e;
      }
    }

    @Override
    public int read() throws IOException {
      int b = left == 0 ? -1 : in.read();
      left -= b < 0 ? 0 : 1;
      return b;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (left == 0 && length > 0) {
        return -1;
      }
      int n = in.read(bytes, offset, (int) Math.min(length, left));
      left -= Math.max(n, 0);
      return n;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
