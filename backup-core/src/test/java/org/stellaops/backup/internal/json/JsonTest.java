package org.stellaops.backup.internal.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

class JsonTest {
  private static JsonObject read(String json) throws IOException {
    return Json.read(json.getBytes(StandardCharsets.UTF_8), "the file");
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void assertMalformed(Step step) {
    var refused = assertThrows(BackupException.Corrupt.class, step::run);
    assertEquals(CoreFailure.MALFORMED, refused.code());
    assertTrue(refused.getMessage().contains("the file"), refused.getMessage());
  }

  @Test
  void what_is_written_is_read() throws IOException {
    JsonObject json =
        Json.read(
            Json.write(
                Map.of(
                    "text",
                    "a\n\"ü\"",
                    "number",
                    Long.MAX_VALUE,
                    "list",
                    List.of("x", 1),
                    "texts",
                    Map.of("k", "v"))),
            "the file");
    assertEquals("a\n\"ü\"", json.text("text"));
    assertEquals(Long.MAX_VALUE, json.number("number"));
    assertEquals(List.of("x", 1), json.list("list"));
    assertEquals(Map.of("k", "v"), json.texts("texts"));
    assertEquals(List.of(), json.list("absent"));
    assertEquals(Optional.empty(), json.optionalText("absent"));
    assertFalse(json.has("absent"));
  }

  @Test
  void what_is_no_object_is_refused() {
    for (String json :
        List.of(
            "",
            " ",
            "null",
            "[]",
            "1",
            "\"x\"",
            "{",
            "{\"a\":1",
            "{}{}",
            "{} x",
            "{a:1}",
            "{'a':1}",
            "{\"a\":1,}",
            "{\"a\":1,\"a\":2}",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "{\"a\":" + "[".repeat(30) + "]".repeat(30) + "}",
            "{\"a\":" + "[".repeat(100_000))) {
      assertMalformed(() -> read(json));
    }
    assertMalformed(
        () -> Json.read(new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'}, "the file"));
  }

  @Test
  void numbers_are_whole_and_of_64_bits() throws IOException {
    assertEquals(-5, read("{\"a\":-5}").signed("a"));
    for (String number :
        List.of(
            "-1",
            "1.5",
            "1e3",
            "1E400",
            "9223372036854775808",
            "\"1\"",
            "true",
            "null",
            "[1]",
            "1" + "0".repeat(999))) {
      assertMalformed(() -> read("{\"a\":" + number + "}").number("a"));
    }
    assertMalformed(() -> read("{}").number("a"));
  }

  @Test
  void other_types_than_expected_are_refused() throws IOException {
    JsonObject json = read("{\"a\":{\"b\":1},\"c\":[1],\"d\":\"x\",\"e\":{\"f\":null}}");
    assertMalformed(() -> json.text("a"));
    assertMalformed(() -> json.list("a"));
    assertMalformed(() -> json.texts("a"));
    assertMalformed(() -> json.objects("c"));
    assertMalformed(() -> json.texts("d"));
    assertMalformed(() -> json.texts("e"));
    assertMalformed(() -> json.text("absent"));
  }

  private static JsonLinesReader lines(String text) {
    return new JsonLinesReader(
        new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "the file");
  }

  @Test
  void lines_are_read_one_by_one() throws IOException {
    try (JsonLinesReader lines = lines("{\"a\":1}\n{\"a\":22}")) {
      assertEquals(1, lines.next().orElseThrow().number("a"));
      assertEquals(7, lines.lineBytes());
      assertEquals(22, lines.next().orElseThrow().number("a"));
      assertEquals(8, lines.lineBytes());
      assertTrue(lines.next().isEmpty());
    }
  }

  @Test
  void a_line_may_have_1_MiB_and_not_a_byte_more() throws IOException {
    int frame = "{\"a\":\"\"}".length();
    String longest = "{\"a\":\"" + "x".repeat(JsonLinesReader.MAX_LINE_BYTES - frame) + "\"}";
    try (JsonLinesReader lines = lines(longest + "\n")) {
      assertTrue(lines.next().isPresent());
    }
    try (JsonLinesReader lines = lines(longest + " \n")) {
      assertMalformed(lines::next);
    }
  }

  @Test
  void the_line_that_is_wrong_is_named() throws IOException {
    try (JsonLinesReader lines = lines("{}\n{}\n\n")) {
      lines.next();
      lines.next();
      var refused = assertThrows(BackupException.Corrupt.class, lines::next);
      assertTrue(refused.getMessage().contains("the file line 3"), refused.getMessage());
    }
  }
}
