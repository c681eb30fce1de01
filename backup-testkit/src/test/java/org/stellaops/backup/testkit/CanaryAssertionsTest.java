package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.ObjectName;

class CanaryAssertionsTest {
  private static final String SECRET = "c4n4ry-p\u00e4ssword~?>";
  private static final CanaryAssertions CANARIES = CanaryAssertions.of(SECRET, "another-canary");

  @TempDir Path directory;

  @Test
  void nothing_is_found_where_nothing_is() throws IOException {
    Files.write(directory.resolve("random"), SeededBytes.of(1, 1 << 20));
    Files.writeString(directory.resolve("close"), SECRET.substring(1));

    CANARIES.assertNowhereIn(directory);
  }

  @Test
  void the_plain_secret_is_found_at_any_depth_and_offset() throws IOException {
    Path file = Files.createDirectories(directory.resolve("x/y")).resolve("z");
    for (int before : new int[] {0, 1, 65_530, 65_536, 131_060}) {
      Files.writeString(file, "-".repeat(before) + SECRET + "-");

      assertFound("canary 0 as UTF-8 in " + file);
    }
  }

  @Test
  void utf_16_is_found() throws IOException {
    Path file = directory.resolve("heap");
    Files.writeString(file, "x" + SECRET, StandardCharsets.UTF_16LE);
    assertFound("as UTF-16LE");
    Files.writeString(file, "x" + SECRET, StandardCharsets.UTF_16BE);
    assertFound("as UTF-16BE");
  }

  @Test
  void hexadecimal_is_found() throws IOException {
    byte[] secret = SECRET.getBytes(StandardCharsets.UTF_8);
    Files.writeString(directory.resolve("f"), "0x" + HexFormat.of().formatHex(secret) + "0");
    assertFound("as hex");
    Files.writeString(directory.resolve("f"), HexFormat.of().withUpperCase().formatHex(secret));
    assertFound("as upper-case hex");
  }

  @Test
  void base64_is_found_at_every_alignment_and_end() throws IOException {
    for (int before = 0; before < 7; before++) {
      for (int after = 0; after < 4; after++) {
        String text = "#".repeat(before) + SECRET + "#".repeat(after);
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (Base64.Encoder encoder : Arrays.asList(Base64.getEncoder(), Base64.getUrlEncoder())) {
          Files.write(directory.resolve("f"), encoder.encode(bytes));

          assertFound("canary 0 as base64");
        }
      }
    }
  }

  @Test
  void base64_is_found_across_line_breaks() throws IOException {
    for (int before = 0; before < 64; before++) {
      byte[] bytes = ("#".repeat(before) + SECRET).getBytes(StandardCharsets.UTF_8);
      Files.write(directory.resolve("f"), Base64.getMimeEncoder().encode(bytes));

      assertFound("canary 0 as base64");
    }
  }

  @Test
  void a_name_is_looked_at_too() throws IOException {
    Files.createDirectory(directory.resolve("x-another-canary-x"));

    assertFound("canary 1 as UTF-8 in the name");
  }

  @Test
  void text_streams_and_objects_are_looked_at() throws IOException {
    var sink = new MemorySink();
    sink.raw().write(ObjectName.of("a"), SECRET.getBytes(StandardCharsets.UTF_8));

    var text =
        assertThrows(
            AssertionError.class, () -> CANARIES.assertNowhereIn("the log", "my " + SECRET));
    var objects = assertThrows(AssertionError.class, () -> CANARIES.assertNowhereIn(sink.raw()));
    CANARIES.assertNowhereIn("the log", "fine");

    assertTrue(text.getMessage().contains("canary 0 as UTF-8 in the log"), text.getMessage());
    assertTrue(objects.getMessage().contains("in object a"), objects.getMessage());
  }

  @Test
  void a_search_can_be_shown_to_find() throws IOException {
    Files.writeString(directory.resolve("f"), SECRET);

    var e = assertThrows(AssertionError.class, () -> CANARIES.assertSomewhereIn(directory));
    assertTrue(e.getMessage().contains("[1]"), e.getMessage());
    Files.writeString(directory.resolve("g"), "another-canary");
    CANARIES.assertSomewhereIn(directory);
  }

  @Test
  void a_canary_that_could_be_found_by_chance_is_refused() {
    assertThrows(IllegalArgumentException.class, () -> CanaryAssertions.of("1234567"));
  }

  private void assertFound(String what) {
    var e = assertThrows(AssertionError.class, () -> CANARIES.assertNowhereIn(directory), what);
    assertTrue(e.getMessage().contains(what), e.getMessage());
  }
}
