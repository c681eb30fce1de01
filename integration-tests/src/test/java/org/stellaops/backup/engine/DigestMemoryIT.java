package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Memory does not grow with the packs of a writer, nor with what retention ever let go of. */
@EnabledOnOs(OS.LINUX)
class DigestMemoryIT {
  /** A table of 16 MiB, or what a settled set has in its place. */
  private static final long MOST_HEAP = 20L << 20;

  @TempDir Path root;

  /** In a table they alone would take 64 MiB, and 96 while it grows. */
  @Test
  void a_million_packs_and_what_was_let_go_of_fit_a_heap_of_64_MiB() throws Exception {
    fits(1_100_000, 200_000, "-Xmx64m");
  }

  @Test
  @Tag("soak")
  void eight_million_packs_and_four_million_let_go_of_fit_a_heap_of_64_MiB() throws Exception {
    fits(8_000_000, 4_000_000, "-Xmx64m");
  }

  @Test
  @Tag("soak")
  void sixty_four_million_packs_fit_a_heap_of_64_MiB() throws Exception {
    fits(64_000_000, 200_000, "-Xmx64m");
  }

  private void fits(int packs, int doomed, String heap) throws Exception {
    Map<String, Long> told = new HashMap<>();
    for (String line :
        ChildJvm.run(
            root, heap, DigestProbe.class, Integer.toString(packs), Integer.toString(doomed))) {
      String[] words = line.split(" ");
      told.put(words[0], Long.parseLong(words[1]));
    }
    System.out.printf("%d packs, %d doomed in %s: %s%n", packs, doomed, heap, told);
    assertEquals(packs, told.get("packs"));
    assertEquals(packs, told.get("added"));
    assertEquals(16L * packs, told.get("packs-disk-bytes"));
    for (String what : new String[] {"packs", "added", "doomed"}) {
      assertEquals(DigestProbe.LOOKED_UP, told.get(what + "-found"), what);
    }
    assertEquals(0, told.get("doomed-too-early"));
    assertEquals(1, told.get("doomed-later"));
    assertTrue(told.get("packs-heap-bytes") < MOST_HEAP, told.toString());
    assertTrue(told.get("doomed-heap-bytes") < MOST_HEAP, told.toString());
    assertEquals(0, told.get("left"));
  }
}
