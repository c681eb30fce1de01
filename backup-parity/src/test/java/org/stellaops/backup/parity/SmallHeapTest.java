package org.stellaops.backup.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.Confirmation;

/** A file that is larger than the heap by far is protected, verified and repaired. */
class SmallHeapTest {
  private static final String HEAP = "-Xmx32m";
  private static final String NAME = "keys/large";

  @TempDir Path root;

  @Test
  void a_file_of_thrice_the_heap() throws Exception {
    inSmallHeap(96 << 20);
  }

  @Test
  @Tag("soak")
  void a_file_of_two_hundred_megabytes() throws Exception {
    inSmallHeap(200_000_000);
  }

  private void inSmallHeap(int bytes) throws Exception {
    Path output = root.resolve("output");
    Process child =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    HEAP,
                    "-cp",
                    System.getProperty("java.class.path"),
                    Child.class.getName(),
                    root.resolve("repository").toString(),
                    Integer.toString(bytes)))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertTrue(child.waitFor(10, TimeUnit.MINUTES), "the child hangs");
    assertEquals(0, child.exitValue(), Files.readString(output));
  }

  /** What is done in the small heap. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws IOException {
      Path root = Files.createDirectories(Path.of(arguments[0]));
      ToyRepository repository = new ToyRepository(root);
      write(repository, Integer.parseInt(arguments[1]));
      assertTrue(repository.parity().update(ParitySettings.defaults()).isComplete());
      try (var file = new RandomAccessFile(repository.path(NAME).toFile(), "rw")) {
        file.setLength(file.length() / 3);
      }
      ParityRepairPlan plan = repository.parity().planRepair();
      assertEquals(List.of(NAME), plan.repairs());
      ParityRepair repair = repository.parity().repair(plan, Confirmation.of(plan.digest()));
      assertTrue(repair.isComplete());
    }

    private static void write(ToyRepository repository, int bytes) throws IOException {
      Random random = new Random(1);
      byte[] piece = ToyRepository.random(random, 1 << 20);
      Files.createDirectories(repository.root.resolve("keys"));
      try (var out = Files.newOutputStream(repository.path(NAME))) {
        for (int left = bytes; left > 0; left -= piece.length) {
          piece[random.nextInt(piece.length)]++;
          out.write(piece, 0, Math.min(left, piece.length));
        }
      }
    }
  }
}
