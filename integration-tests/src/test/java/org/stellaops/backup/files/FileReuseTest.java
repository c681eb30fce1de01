package org.stellaops.backup.files;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.internal.disk.FileAttributes;
import org.stellaops.backup.internal.disk.FileState;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** What did not change is not read again, and what is captured is the same as if it were. */
class FileReuseTest {
  private static final int WEIGHT = 8;
  private static final int FILES = 120;

  /** So late that no file of the test is racy. */
  private static final InstantSource LATER =
      InstantSource.fixed(Instant.now().plus(Duration.ofHours(1)));

  @TempDir Path temp;

  private Path tree() throws IOException {
    Path tree = Files.createDirectory(temp.resolve("tree"));
    for (int i = 0; i < FILES; i++) {
      Tree.file(tree.resolve("d%d/f%03d".formatted(i % 3, i)), "content of " + i);
    }
    return tree;
  }

  private static Captured first(BackupSource source) throws IOException {
    return CaptureHarness.of(source).clock(LATER).capture();
  }

  private static Captured next(BackupSource source, Captured parent) throws IOException {
    return CaptureHarness.of(source).clock(LATER).parent(parent).capture();
  }

  /** The same artifacts, inventory and findings as those of a capture that reads every file. */
  private static void assertAsIfRead(CountingFiles source, Captured found) throws IOException {
    Captured read = first(source.rereading());
    assertEquals(artifacts(read), artifacts(found));
    assertEquals(read.source().inventory(), found.source().inventory());
    assertEquals(read.source().properties(), found.source().properties());
    assertEquals(read.expected(), found.expected());
    assertEquals(read.findings(), found.findings());
  }

  private static Map<String, String> artifacts(Captured captured) {
    Map<String, String> artifacts = new TreeMap<>();
    for (CapturedArtifact artifact : captured.source().artifacts()) {
      artifacts.put(artifact.name().value(), artifact.plainBytes() + " " + artifact.plain());
    }
    return artifacts;
  }

  @Test
  void no_file_of_an_unchanged_tree_is_opened() throws Exception {
    Path tree = tree();
    CountingFiles source = CountingFiles.in(tree, WEIGHT);
    Captured parent = first(source);
    assertEquals(FILES, source.opened().size());
    assertTrue(parent.names().size() > FILES / WEIGHT, parent.names()::toString);
    Captured child = next(source, parent);
    assertEquals(Set.of(), source.opened());
    assertAsIfRead(source, child);
    assertEquals(100, child.progress().orElseThrow().percent().orElseThrow());
    source.opened();
    Captured grandchild = next(source, child);
    assertEquals(Set.of(), source.opened(), "what was taken over is taken over again");

    RestoreHarness.of(FileTarget.at(temp.resolve("out")), grandchild).restore();
    Tree.assertEqual(Tree.of(tree), Tree.of(temp.resolve("out")));
  }

  /** What can happen to a file. */
  enum Edit {
    APPENDED {
      @Override
      void make(Path file) throws IOException {
        Files.writeString(file, Files.readString(file) + "more");
      }
    },
    OVERWRITTEN_AND_ITS_TIME_SET_BACK {
      @Override
      void make(Path file) throws IOException {
        FileTime before = Files.getLastModifiedTime(file);
        Files.write(file, new byte[(int) Files.size(file)]);
        Files.setLastModifiedTime(file, before);
      }
    },
    REPLACED_BY_ONE_OF_THE_SAME_SIZE_AND_TIME {
      @Override
      void make(Path file) throws IOException {
        Path other = file.resolveSibling("other");
        Files.write(other, new byte[(int) Files.size(file)]);
        Files.setLastModifiedTime(other, Files.getLastModifiedTime(file));
        FileTime directory = Files.getLastModifiedTime(file.getParent());
        Files.move(other, file, REPLACE_EXISTING);
        Files.setLastModifiedTime(file.getParent(), directory);
      }
    },
    CLOSED_TO_OTHERS {
      @Override
      void make(Path file) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
      }
    },
    GIVEN_THE_MODE_THAT_IT_HAS {
      @Override
      void make(Path file) throws IOException {
        Files.setPosixFilePermissions(file, Files.getPosixFilePermissions(file));
      }
    },
    TOUCHED {
      @Override
      void make(Path file) throws IOException {
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));
      }
    },
    BECOME_A_LINK {
      @Override
      void make(Path file) throws IOException {
        Files.delete(file);
        Files.createSymbolicLink(file, Path.of("f000"));
      }
    },
    DELETED {
      @Override
      void make(Path file) throws IOException {
        Files.delete(file);
      }
    },
    RENAMED {
      @Override
      void make(Path file) throws IOException {
        Files.move(file, file.resolveSibling(file.getFileName() + "-renamed"));
      }
    },
    GIVEN_A_NEIGHBOUR {
      @Override
      void make(Path file) throws IOException {
        Files.writeString(file.resolveSibling(file.getFileName() + "-neighbour"), "new");
      }
    };

    abstract void make(Path file) throws IOException;
  }

  @ParameterizedTest
  @EnumSource
  void sections_of_what_changed_are_read_and_no_others(Edit edit) throws Exception {
    Path tree = tree();
    CountingFiles source = CountingFiles.in(tree, WEIGHT);
    Captured parent = first(source);
    source.opened();
    edit.make(tree.resolve("d1/f061"));
    Captured child = next(source, parent);
    int opened = source.opened().size();
    // The file's own section, that of its directory, and where ends move, the one behind.
    assertTrue(opened > 0 && opened <= 6 * WEIGHT, edit + " opened " + opened);
    assertAsIfRead(source, child);
    source.opened();
    next(source, child);
    assertEquals(Set.of(), source.opened());
  }

  @Test
  void files_that_changed_when_the_capture_began_are_read_again() throws Exception {
    CountingFiles source = CountingFiles.in(tree(), WEIGHT);
    Instant changed =
        ((FileTime)
                Files.getAttribute(
                    temp.resolve("tree/d0/f000"), "unix:ctime", LinkOption.NOFOLLOW_LINKS))
            .toInstant();
    Captured racy =
        CaptureHarness.of(source).clock(InstantSource.fixed(changed.plusSeconds(1))).capture();
    source.opened();
    Captured settled = next(source, racy);
    assertEquals(FILES, source.opened().size());
    next(source, settled);
    assertEquals(Set.of(), source.opened());
  }

  @Test
  void who_rereads_opens_every_file_and_captures_the_same() throws Exception {
    CountingFiles source = CountingFiles.in(tree(), WEIGHT);
    Captured parent = first(source);
    CountingFiles rereading = source.rereading();
    Captured read = next(rereading, parent);
    assertEquals(FILES, rereading.opened().size());
    assertEquals(artifacts(parent), artifacts(read));
    source.opened();
    next(source, read);
    assertEquals(Set.of(), source.opened(), "and the next that does not can go on from it");
  }

  @Test
  void files_of_which_the_plan_knows_something_are_looked_at_each_time() throws Exception {
    Path tree = tree();
    CountingFiles source =
        CountingFiles.in(tree, WEIGHT)
            .json("d0/f000")
            .stock("d2/f119", Digest.ofContent(Files.readAllBytes(tree.resolve("d2/f119"))));
    Captured parent = first(source);
    source.opened();
    Captured child = next(source, parent);
    Set<String> opened = source.opened();
    assertTrue(opened.containsAll(Set.of("d0/f000", "d2/f119")), opened::toString);
    assertTrue(opened.size() < FILES / 2, opened::toString);
    assertEquals(parent.findings(), child.findings());
    assertEquals(CoreFailure.NOT_WELL_FORMED, child.findings().get(0).code());
    assertEquals("STOCK", child.source().properties().get("origin of d2/f119"));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void whatever_happens_to_a_tree_it_is_captured_as_if_it_were_read(long seed) throws Exception {
    Random random = new Random(seed);
    Path tree = tree();
    CountingFiles source = CountingFiles.in(tree, WEIGHT);
    Captured newest = first(source);
    int opened = 0;
    for (int run = 0; run < 6; run++) {
      source.opened();
      for (int i = random.nextInt(4); i >= 0; i--) {
        List<Path> files = files(tree);
        Edit edit = Edit.values()[random.nextInt(Edit.values().length)];
        edit.make(files.get(random.nextInt(files.size())));
      }
      newest = next(source, newest);
      opened += source.opened().size();
      assertAsIfRead(source, newest);
    }
    assertTrue(opened < 6 * FILES, "seed %d opened %d".formatted(seed, opened));
    RestoreHarness.of(FileTarget.at(temp.resolve("out")), newest).restore();
    Tree.assertEqual(Tree.of(tree), Tree.of(temp.resolve("out")));
  }

  private static List<Path> files(Path tree) throws IOException {
    try (var paths = Files.walk(tree)) {
      return paths.filter(p -> Files.isRegularFile(p, LinkOption.NOFOLLOW_LINKS)).sorted().toList();
    }
  }

  @Test
  void each_thing_that_is_looked_at_counts() {
    Instant time = Instant.ofEpochSecond(1_700_000_000, 5);
    FileState state = state(FileState.Type.FILE, 7, "1/2/3", 0644, 10, 11, "ann", "staff", time);
    Digest known = digest("a", state);
    assertEquals(known, digest("a", state));
    for (FileState other :
        List.of(
            state(FileState.Type.LINK, 7, "1/2/3", 0644, 10, 11, "ann", "staff", time),
            state(FileState.Type.FILE, 8, "1/2/3", 0644, 10, 11, "ann", "staff", time),
            state(FileState.Type.FILE, 7, "1/2/4", 0644, 10, 11, "ann", "staff", time),
            state(FileState.Type.FILE, 7, "1/2/3", 04644, 10, 11, "ann", "staff", time),
            state(FileState.Type.FILE, 7, "1/2/3", 0644, 9, 11, "ann", "staff", time),
            state(FileState.Type.FILE, 7, "1/2/3", 0644, 10, 12, "ann", "staff", time),
            state(FileState.Type.FILE, 7, "1/2/3", 0644, 10, 11, "bob", "staff", time),
            state(FileState.Type.FILE, 7, "1/2/3", 0644, 10, 11, "ann", "users", time),
            state(
                FileState.Type.FILE,
                7,
                "1/2/3",
                0644,
                10,
                11,
                "ann",
                "staff",
                time.plusNanos(1)))) {
      assertNotEquals(known, digest("a", other), other::toString);
    }
    assertNotEquals(known, digest("b", state));
  }

  private static FileState state(
      FileState.Type type,
      long bytes,
      String identity,
      int mode,
      int uid,
      int gid,
      String user,
      String group,
      Instant modified) {
    return new FileState(
        type,
        bytes,
        identity,
        Instant.EPOCH,
        new FileAttributes(mode, uid, gid, user, group, modified, new TreeMap<>()));
  }

  private static Digest digest(String name, FileState state) {
    SectionStates states = new SectionStates(Instant.ofEpochSecond(100));
    states.add(name, state);
    assertFalse(states.isRacy());
    return states.digest();
  }

  @Test
  void sections_begin_where_they_began_wherever_a_name_comes_or_goes() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      names.add("dir/%06d".formatted(i * 2));
    }
    Set<String> before = starts(names, 1);
    assertTrue(before.size() > 12 && before.size() < 40, before::toString);
    for (int at : new int[] {0, 1, 4999, 10_000, 19_999}) {
      List<String> more = new ArrayList<>(names);
      more.add(at, "dir/%06d".formatted(at * 2 - 1));
      Set<String> moved = new TreeSet<>(starts(more, 1));
      moved.removeAll(before);
      assertTrue(moved.size() <= 3, "%d moved %s".formatted(at, moved));
    }
  }

  @Test
  void large_files_weigh_more_and_a_tree_of_any_size_has_a_bounded_number_of_sections() {
    List<String> few = List.of("a", "b", "c", "d");
    assertEquals(Set.of("b", "c", "d"), starts(few, 64 << 20), "each is a section of its own");
    SectionCut cut = new SectionCut(SectionCut.TARGET);
    FileState small = state(1);
    long sections = 1;
    for (int i = 0; i < 4_000_000; i++) {
      sections += cut.isBefore("f" + i, small) ? 1 : 0;
    }
    assertTrue(sections > 1500 && sections < 3200, sections + " sections");
  }

  private static FileState state(long bytes) {
    return state(FileState.Type.FILE, bytes, "", 0, 0, 0, "", "", Instant.EPOCH);
  }

  /** Members that begin a section, but for the first. */
  private static Set<String> starts(List<String> names, long bytes) {
    SectionCut cut = new SectionCut(SectionCut.TARGET);
    FileState state = state(bytes);
    Set<String> starts = new TreeSet<>();
    for (String name : names) {
      if (cut.isBefore(name, state)) {
        starts.add(name);
      }
    }
    return starts;
  }
}
