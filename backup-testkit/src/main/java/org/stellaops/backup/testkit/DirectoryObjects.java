package org.stellaops.backup.testkit;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.stellaops.backup.model.ObjectName;

/** The files below a directory, seen as objects. */
final class DirectoryObjects implements RawObjects {
  private final Path directory;
  private final Predicate<ObjectName> isObject;

  DirectoryObjects(Path directory, Predicate<ObjectName> isObject) {
    this.directory = directory;
    this.isObject = isObject;
  }

  @Override
  public SortedSet<ObjectName> names() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(Files::isRegularFile)
          .map(this::name)
          .filter(isObject)
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Override
  public long lengthBytes(ObjectName name) throws IOException {
    return Files.size(existing(name));
  }

  @Override
  public byte[] read(ObjectName name) throws IOException {
    return Files.readAllBytes(existing(name));
  }

  @Override
  public byte read(ObjectName name, long offset) throws IOException {
    try (var file = new RandomAccessFile(existing(name).toFile(), "r")) {
      file.seek(offset);
      return file.readByte();
    }
  }

  @Override
  public void write(ObjectName name, byte[] bytes) throws IOException {
    Path file = path(name);
    if (!Files.exists(file)) {
      Files.createDirectories(file.resolveSibling(""));
      Files.createFile(file);
    }
    try (RandomAccessFile open = openForWriting(file.toFile())) {
      open.setLength(0);
      open.write(bytes);
    }
  }

  @Override
  public void write(ObjectName name, long offset, byte value) throws IOException {
    File file = existing(name).toFile();
    try (RandomAccessFile open = openForWriting(file)) {
      open.seek(offset);
      open.writeByte(value);
    }
  }

  @Override
  public void remove(ObjectName name) throws IOException {
    Files.delete(existing(name));
  }

  private ObjectName name(Path file) {
    String path = directory.relativize(file).toString();
    return ObjectName.of(path.replace(File.separatorChar, '/'));
  }

  private Path path(ObjectName name) {
    return directory.resolve(name.value());
  }

  private Path existing(ObjectName name) {
    Path file = path(name);
    if (!Files.isRegularFile(file)) {
      throw new IllegalArgumentException("no object " + name + " in " + directory);
    }
    return file;
  }

  /** A store may keep its files read-only, and they stay so; the caller closes. */
  private static RandomAccessFile openForWriting(File file) throws IOException {
    if (file.canWrite()) {
      return new RandomAccessFile(file, "rw");
    }
    setWritable(file, true);
    try {
      return new RandomAccessFile(file, "rw");
    } finally {
      // What is open stays writable (POSIX.1, open; Windows checks the attribute on opening too).
      setWritable(file, false);
    }
  }

  private static void setWritable(File file, boolean isWritable) throws IOException {
    if (!file.setWritable(isWritable)) {
      throw new IOException("cannot change the mode of " + file);
    }
  }
}
