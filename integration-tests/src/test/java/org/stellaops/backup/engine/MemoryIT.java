package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Memory does not grow with what is backed up: a heap of 192 MiB is enough for any size. */
@EnabledOnOs(OS.LINUX)
class MemoryIT {
  private static final long MOST_ABOVE_IDLE = 300L << 20;

  @TempDir Path root;

  @Test
  @Tag("interop") // only for the time it takes
  void a_source_of_1_GiB_fits_a_heap_of_192_MiB() throws Exception {
    fits(1024);
  }

  @Test
  @Tag("soak")
  void a_source_of_4_GiB_fits_a_heap_of_192_MiB() throws Exception {
    fits(4096);
  }

  @Test
  void a_stream_of_512_MiB_with_a_slice_of_128_MiB_fits_a_heap_of_80_MiB() throws Exception {
    assertEquals(512L << 20, streamed(512));
  }

  @Test
  @Tag("soak")
  void a_stream_of_2_GiB_fits_a_heap_of_80_MiB() throws Exception {
    assertEquals(2048L << 20, streamed(2048));
  }

  private long streamed(long mebibytes) throws Exception {
    List<String> told =
        ChildJvm.run(root, "-Xmx80m", StreamMemoryProbe.class, Long.toString(mebibytes));
    return Long.parseLong(told.get(0).split(" ")[1]);
  }

  private void fits(long mebibytes) throws Exception {
    long idle = probe(0).get("peak-rss-bytes");
    Map<String, Long> busy = probe(mebibytes);
    assertEquals(mebibytes << 20, busy.get("compared-bytes"), busy.toString());
    assertTrue(busy.get("new-bytes") > mebibytes << 19, busy.toString());
    assertTrue(busy.get("new-bytes") < mebibytes << 20, busy.toString());
    assertTrue(busy.get("copied-bytes") >= busy.get("new-bytes"), busy.toString());
    assertTrue(busy.get("checked-bytes") >= busy.get("new-bytes"), busy.toString());
    long above = busy.get("peak-rss-bytes") - idle;
    System.out.printf(
        "%d MiB in -Xmx192m: peak %d MiB, idle %d MiB, backup %d ms, restore %d ms%n",
        mebibytes,
        busy.get("peak-rss-bytes") >> 20,
        idle >> 20,
        busy.get("backup-millis"),
        busy.get("restore-millis"));
    assertTrue(
        above <= MOST_ABOVE_IDLE,
        "%d MiB above an idle engine of %d MiB".formatted(above >> 20, idle >> 20));
  }

  private Map<String, Long> probe(long mebibytes) throws Exception {
    Map<String, Long> told = new HashMap<>();
    for (String line :
        ChildJvm.run(root, "-Xmx192m", MemoryProbe.class, Long.toString(mebibytes))) {
      String[] words = line.split(" ");
      told.put(words[0], Long.parseLong(words[1]));
    }
    return told;
  }
}
