package org.stellaops.backup.internal.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;

class WorkspaceTest {
  private static final String REPOSITORY = "11111111-1111-1111-1111-111111111111";
  private static final String OTHER = "22222222-2222-2222-2222-222222222222";

  @TempDir Path root;

  private static Head head(long sequence) {
    return new Head(sequence, Digest.ofContent(new byte[] {(byte) sequence}));
  }

  private Workspace given() throws Exception {
    return Workspace.in(Optional.of(root.resolve("workspace")));
  }

  @Test
  void heads_are_remembered_by_the_next_process() throws Exception {
    Workspace first = given();
    assertEquals(Optional.empty(), first.recall(REPOSITORY, "host-a"));
    first.remember(REPOSITORY, "host-a", head(3));
    first.remember(REPOSITORY, "admin", head(1));
    Workspace second = given();
    assertEquals(Set.of("admin", "host-a"), second.logs(REPOSITORY));
    assertEquals(Optional.of(head(3)), second.recall(REPOSITORY, "host-a"));
    assertEquals(Set.of(), second.logs(OTHER));
    assertEquals(Optional.empty(), second.recall(OTHER, "host-a"));
  }

  @Test
  void of_two_that_share_it_neither_forgets_what_the_other_saw() throws Exception {
    Workspace one = given();
    Workspace two = given();
    one.remember(REPOSITORY, "host-a", head(3));
    assertEquals(Optional.of(head(3)), two.recall(REPOSITORY, "host-a"));
    one.remember(REPOSITORY, "host-a", head(5));
    two.remember(REPOSITORY, "verify", head(1));
    Workspace third = given();
    assertEquals(Optional.of(head(5)), third.recall(REPOSITORY, "host-a"));
    assertEquals(Optional.of(head(1)), third.recall(REPOSITORY, "verify"));
  }

  @Test
  void an_older_head_does_not_replace_a_newer_one() throws Exception {
    for (Workspace workspace : new Workspace[] {given(), Workspace.in(Optional.empty())}) {
      workspace.remember(REPOSITORY, "host-a", head(5));
      workspace.remember(REPOSITORY, "host-a", head(4));
      assertEquals(Optional.of(head(5)), workspace.recall(REPOSITORY, "host-a"));
    }
  }

  @Test
  void what_could_not_be_written_down_is_written_down_the_next_time() throws Exception {
    Workspace workspace = given();
    Path directory = root.resolve("workspace");
    Files.move(directory, root.resolve("away"));
    assertThrows(IOException.class, () -> workspace.remember(REPOSITORY, "host-a", head(3)));
    Files.move(root.resolve("away"), directory);
    workspace.remember(REPOSITORY, "host-a", head(3));
    assertEquals(Optional.of(head(3)), given().recall(REPOSITORY, "host-a"));
  }

  @Test
  void it_is_private_and_leaves_nothing_half_written() throws Exception {
    Workspace workspace = given();
    workspace.remember(REPOSITORY, "host-a", head(1));
    Path directory = root.resolve("workspace");
    assertEquals(
        "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)));
    try (Stream<Path> files = Files.list(directory)) {
      Path only = files.reduce((a, b) -> root).orElseThrow();
      assertEquals("heads." + REPOSITORY, String.valueOf(only.getFileName()));
      assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(only)));
    }
  }

  @Test
  void a_memory_that_cannot_be_read_is_no_empty_memory() throws Exception {
    Workspace workspace = given();
    workspace.remember(REPOSITORY, "host-a", head(1));
    Files.writeString(root.resolve("workspace/heads." + REPOSITORY), "host-a x y\n");
    Workspace again = given();
    assertThrows(BackupException.Corrupt.class, () -> again.recall(REPOSITORY, "host-a"));
  }

  @Test
  void one_that_nobody_gave_remembers_while_it_is_open() throws Exception {
    Workspace ours = Workspace.in(Optional.empty());
    ours.remember(REPOSITORY, "host-a", head(1));
    assertEquals(Optional.of(head(1)), ours.recall(REPOSITORY, "host-a"));
    assertEquals(Set.of("host-a"), ours.logs(REPOSITORY));
  }
}
