package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;

class NamedObjectsTest {
  private static final String DIGEST = "0".repeat(64);
  private static final String PACK = "w/host-a/packs/aa/one.age";
  private static final String LIST = "w/host-a/lists/one.sums";

  private final MemorySink sink = new MemorySink();

  @Test
  void what_entries_and_their_lists_name_is_no_stray() throws Exception {
    put("FORMAT.txt", "");
    put("keys/epoch-1.age", "");
    put("log/host-a/0000000001.entry", "# kind: snapshot\n", LIST);
    put(LIST, "", PACK);
    put(PACK, "");

    NamedObjects named = named();

    assertEquals(Set.of(), named.strays());
    assertEquals(Set.of(), named.missing());
  }

  @Test
  void what_nobody_names_is_a_stray() throws Exception {
    put("log/host-a/0000000001.entry", "# kind: snapshot\n");
    put(PACK, "");
    put("beat/host-a/run-1", "");

    assertEquals(Set.of(PACK, "beat/host-a/run-1"), named().strays());
  }

  @Test
  void what_only_an_unfinished_run_named_is_a_stray() throws Exception {
    put("log/host-a/0000000001.entry", "# kind: progress\n", PACK);
    put(PACK, "");

    assertEquals(Set.of(PACK), named().strays());
  }

  @Test
  void what_a_snapshot_needs_and_is_not_there_is_missing() throws Exception {
    put("log/host-a/0000000001.entry", "# kind: snapshot\n", LIST, "w/host-a/state/old.age");
    put(LIST, "", PACK);

    assertEquals(Set.of(PACK), named().missing());
  }

  private NamedObjects named() throws IOException {
    try (ObjectStore store = sink.open(StoreContext.system())) {
      return NamedObjects.of(store);
    }
  }

  private void put(String name, String header, String... names) throws IOException {
    var text = new StringBuilder("# stella-backup entry 1\n").append(header);
    for (String each : names) {
      text.append(DIGEST).append("  ").append(each).append('\n');
    }
    try (ObjectStore store = sink.open(StoreContext.system())) {
      store.put(
          ObjectName.of(name), ObjectBody.of(text.toString().getBytes(StandardCharsets.UTF_8)));
    }
  }
}
