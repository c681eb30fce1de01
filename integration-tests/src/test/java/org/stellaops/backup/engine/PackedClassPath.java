package org.stellaops.backup.engine;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * This process's classes in a form from which short-lived processes start in half the time: its
 * directories packed into one jar, and an archive of loaded classes, which knows jars only
 * (java(1), {@code -XX:SharedArchiveFile}). A JVM that cannot use the archive starts without it.
 */
final class PackedClassPath {
  private final String entries;
  private final Path archive;

  private PackedClassPath(String entries, Path archive) {
    this.entries = entries;
    this.archive = archive;
  }

  /** Packs them into a directory. The archive is made by the first process that {@link #dumps}. */
  static PackedClassPath in(Path directory) throws IOException {
    List<String> packed = new ArrayList<>();
    Path jar = directory.resolve("directories.jar");
    packed.add(jar.toString());
    Set<String> names = new HashSet<>();
    try (OutputStream file = Files.newOutputStream(jar);
        var zip = new ZipOutputStream(file)) {
      zip.setLevel(0);
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
        Path path = Path.of(entry);
        if (Files.isDirectory(path)) {
          pack(path, names, zip);
        } else if (isWanted(path)) {
          packed.add(entry);
        }
      }
    }
    return new PackedClassPath(
        String.join(File.pathSeparator, packed), directory.resolve("classes.jsa"));
  }

  /** Conscrypt's native library takes longer to load than such a process lives. */
  private static boolean isWanted(Path jar) {
    return Files.isRegularFile(jar) && !jar.getFileName().toString().startsWith("conscrypt");
  }

  private static void pack(Path directory, Set<String> names, ZipOutputStream zip)
      throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = directory.relativize(file).toString().replace(File.separatorChar, '/');
        if (names.add(name)) {
          zip.putNextEntry(new ZipEntry(name));
          Files.copy(file, zip);
          zip.closeEntry();
        }
      }
    }
  }

  /** Options of a process that leaves the archive when it ends. */
  List<String> dumps() {
    return List.of("-Xlog:cds=off", "-XX:ArchiveClassesAtExit=" + archive, "-cp", entries);
  }

  /** Options of all others. */
  List<String> options() {
    return List.of(
        "-Xshare:auto", "-Xlog:cds=off", "-XX:SharedArchiveFile=" + archive, "-cp", entries);
  }
}
