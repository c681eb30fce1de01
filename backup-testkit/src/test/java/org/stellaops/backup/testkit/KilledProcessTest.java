package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.FaultPlan.When;

/** Kills real child processes. */
class KilledProcessTest {
  @TempDir Path directory;

  @Test
  void the_child_is_killed_at_the_operation_without_cleaning_up() throws Exception {
    assertEquals(List.of("begun"), killedAt(0, When.BEFORE));
    assertEquals(List.of("begun"), killedAt(0, When.TORN));
    assertEquals(List.of("begun"), killedAt(0, When.AFTER));
    assertEquals(List.of("begun", "put"), killedAt(1, When.TORN));
  }

  @Test
  void a_child_with_too_few_operations_ends_well() throws Exception {
    assertEquals(0, run(2, When.BEFORE));
    assertEquals(List.of("begun", "put", "read", "finally"), Files.readAllLines(journal()));
  }

  private List<String> killedAt(long operation, When when) throws Exception {
    assertEquals(FaultPlan.KILLED, run(operation, when));
    return Files.readAllLines(journal());
  }

  private int run(long operation, When when) throws Exception {
    Files.deleteIfExists(journal());
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                journal().toString(),
                Long.toString(operation),
                when.name())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("output").toFile())
            .start();
    if (!child.waitFor(2, TimeUnit.MINUTES)) {
      child.destroyForcibly();
      throw new AssertionError("the child hangs: " + Files.readString(directory.resolve("output")));
    }
    return child.exitValue();
  }

  private Path journal() {
    return directory.resolve("journal");
  }

  /** Puts and reads one object, and writes down how far it came. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws IOException {
      Path journal = Path.of(arguments[0]);
      var plan = FaultPlan.killing(Long.parseLong(arguments[1]), When.valueOf(arguments[2]));
      var name = ObjectName.of("a");
      note(journal, "begun");
      try (ObjectStore store = plan.on(new MemorySink()).open(StoreContext.system())) {
        store.put(name, ObjectBody.of(new byte[100]));
        note(journal, "put");
        try (var in = store.open(name, ByteRange.ALL)) {
          in.readAllBytes();
        }
        note(journal, "read");
      } finally {
        note(journal, "finally");
      }
    }

    private static void note(Path journal, String line) throws IOException {
      Files.writeString(journal, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
  }
}
