package org.stellaops.backup.internal.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is being made stays while somebody works on it, and no longer. */
class UnfinishedTest {
  @TempDir Path directory;

  private Path target() {
    return directory.resolve("a.tar.gz");
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void what_got_its_name_stays_and_the_rest_is_removed() throws Exception {
    try (Unfinished making = Unfinished.begin(target())) {
      PrivateFiles.createDirectory(making.path());
      Files.writeString(making.path().resolve("a"), "secret");
    }
    assertEquals(List.of(), names());
    try (Unfinished making = Unfinished.begin(target())) {
      Files.writeString(making.path(), "whole");
      Files.move(making.path(), target());
    }
    assertEquals(List.of("a.tar.gz"), names());
  }

  @Test
  void what_nobody_works_on_is_removed_by_the_next() throws Exception {
    Path left = directory.resolve("a.tar.gz.0123456789abcdef.incomplete");
    Files.createDirectories(left.resolve("b"));
    Files.writeString(left.resolve("b/c"), "secret");
    Files.createFile(directory.resolve("a.tar.gz.0123456789abcdef.lock.incomplete"));
    // Killed before it made anything.
    Files.createFile(directory.resolve("a.tar.gz.0123456789abcde0.lock.incomplete"));
    List<String> others =
        List.of(
            "a.tar.gz.0123456789ABCDEF.lock.incomplete",
            "a.tar.gz.incomplete",
            "b.tar.gz.0123456789abcdef.incomplete",
            "b.tar.gz.0123456789abcdef.lock.incomplete",
            "x-a.tar.gz.0123456789abcdef.lock.incomplete");
    for (String other : others) {
      Files.createFile(directory.resolve(other));
    }
    Unfinished.begin(target()).close();
    assertEquals(others, names());
  }

  @Test
  void what_this_process_works_on_stays() throws Exception {
    try (Unfinished first = Unfinished.begin(target())) {
      Files.writeString(first.path(), "1");
      try (Unfinished second = Unfinished.begin(target())) {
        Files.writeString(second.path(), "2");
        assertEquals("1", Files.readString(first.path()));
      }
      assertEquals("1", Files.readString(first.path()));
    }
    assertEquals(List.of(), names());
  }

  @Test
  void what_another_process_works_on_stays_until_it_is_killed() throws Exception {
    Process other =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                OtherProcess.class.getName(),
                target().toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader says = other.inputReader(StandardCharsets.UTF_8)) {
      Path its = Path.of(String.valueOf(says.readLine()));
      assertEquals("secret", Files.readString(its));

      Unfinished.begin(target()).close();
      assertEquals("secret", Files.readString(its));
      assertEquals(2, names().size());

      other.destroyForcibly();
      assertTrue(other.waitFor(20, TimeUnit.SECONDS));
      assertEquals(2, names().size(), "a killed process removes nothing");
      Unfinished.begin(target()).close();
      assertEquals(List.of(), names());
    } finally {
      other.destroyForcibly();
    }
  }

  /** Begins, and waits to be killed. */
  static final class OtherProcess {
    private OtherProcess() {}

    public static void main(String[] arguments) throws IOException {
      try (Unfinished making = Unfinished.begin(Path.of(arguments[0]))) {
        Files.writeString(making.path(), "secret");
        System.out.println(making.path());
        System.in.read();
      }
    }
  }

  @Test
  void a_directory_that_is_not_there_is_told() {
    assertThrows(
        NoSuchFileException.class, () -> Unfinished.begin(directory.resolve("absent/a.tar.gz")));
  }

  @Test
  void an_interrupted_thread_holds_its_lock_as_any_other() throws Exception {
    Thread.currentThread().interrupt();
    try (Unfinished making = Unfinished.begin(target())) {
      Files.writeString(making.path(), "1");
    } finally {
      assertTrue(Thread.interrupted());
    }
    assertEquals(List.of(), names());
  }
}
