package org.stellaops.backup.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.util.List;
import java.util.TimeZone;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class NamesTest {
  @Test
  void labels_have_one_grammar() {
    List<Function<String, Object>> makers =
        List.of(SnapshotName::of, SourceName::of, ArtifactName::of, Component::of, SnapshotId::new);
    for (Function<String, Object> maker : makers) {
      for (String good : List.of("a", "A-1_b.c", "...", "-", "a".repeat(120))) {
        assertEquals(good, maker.apply(good).toString());
      }
      for (String bad :
          List.of("", ".", "..", "a/b", "a b", "a\0", "a\n", "\n", "ä", "a".repeat(121), "a\\b")) {
        var refused = assertThrows(IllegalArgumentException.class, () -> maker.apply(bad), bad);
        assertFalse(
            refused.getMessage().chars().anyMatch(Character::isISOControl),
            "a message is one printable line");
      }
    }
  }

  @Test
  void the_name_of_a_time_is_utc_and_fits() {
    TimeZone before = TimeZone.getDefault();
    try {
      TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kathmandu"));
      assertEquals(
          "p-20261024T235959Z",
          SnapshotName.at("p", Instant.parse("2026-10-24T23:59:59.999Z")).value());
      assertEquals(
          117,
          SnapshotName.at("x".repeat(120), Instant.parse("2026-10-24T00:00:00Z")).value().length());
    } finally {
      TimeZone.setDefault(before);
    }
  }

  @Test
  void an_object_name_has_segments_that_are_names() {
    for (String good : List.of("a", "a/b", "ü/日本", "a b", "...", ".a", "x".repeat(255))) {
      assertEquals(good, ObjectName.of(good).value());
    }
    for (String bad :
        List.of(
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            ".",
            "..",
            "a/../b",
            "a/.",
            "a\\b",
            "a\0",
            "a\u007f",
            "a\u0085",
            "x".repeat(256),
            "ü".repeat(128),
            "x/".repeat(512) + "x")) {
      assertThrows(IllegalArgumentException.class, () -> ObjectName.of(bad), bad);
    }
  }

  @Test
  void a_digest_is_64_lower_case_digits() {
    assertEquals(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        Digest.ofContent(new byte[0]).hex());
    for (String bad : List.of("", "0".repeat(63), "0".repeat(65), "A".repeat(64), "g".repeat(64))) {
      assertThrows(IllegalArgumentException.class, () -> Digest.parse(bad), bad);
    }
  }
}
