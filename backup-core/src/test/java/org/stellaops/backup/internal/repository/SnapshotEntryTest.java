package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Outcome;

class SnapshotEntryTest {
  private static final Digest DIGEST = Digest.ofContent(new byte[1]);
  private static final String MANIFEST = "w/host-a/manifests/" + DIGEST.hex() + "-9.age";
  private static final String LIST = "w/host-a/lists/" + DIGEST.hex() + "-9.sums";

  private final TestSigner signer = new TestSigner();

  private static Entry.Draft draft() {
    return new Entry.Draft("snapshot")
        .field("snapshot", "01jd4k0000000000000000000a")
        .field("name", "nightly")
        .field("plan", "all")
        .field("taken", "2026-11-20T02:00:07Z")
        .field("outcome", "degraded")
        .field("planned", "database 3")
        .field("planned", "evidence 1")
        .line(DIGEST, MANIFEST)
        .field("component", component("config"))
        .line(DIGEST, LIST)
        .field("component", component("users") + " parents=01jd,01je of-later=1");
  }

  private static String component(String source) {
    return source
        + " of=database kind=files/1 taken=2026-11-20T02:00:09Z outcome=good plain-bytes=3"
        + " stored-bytes=2 new-bytes=1";
  }

  private Entry signed(String text) throws Exception {
    return Entry.parse(signer.signed(text), "the entry", new SeenSignatures());
  }

  private String text() throws Exception {
    String whole =
        new String(
            signer.entry("host-a", 2, Optional.of(DIGEST), draft()), StandardCharsets.US_ASCII);
    return whole.substring(0, whole.indexOf("#sig "));
  }

  @Test
  void it_is_read_with_words_that_a_later_version_adds() throws Exception {
    SnapshotEntry entry = SnapshotEntry.of(signed(text()));
    assertEquals("nightly", entry.name().value());
    assertEquals("all", entry.plan());
    assertEquals(Outcome.DEGRADED, entry.outcome());
    assertEquals(Map.of(Component.DATABASE, 3, Component.EVIDENCE, 1), entry.planned());
    assertEquals(MANIFEST, entry.manifest().toString());
    assertEquals(
        List.of("config", "users"),
        entry.parts().stream().map(p -> p.header().source().value()).toList());
    assertEquals(
        List.of(List.of(LIST), List.of()),
        entry.parts().stream()
            .map(p -> p.lists().stream().map(ObjectRef::toString).toList())
            .toList());
    assertEquals(2, entry.parts().get(1).header().parents().size());
  }

  /** What is replaced, and by what; signed all the same. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "# planned: database 3 -> # planned: database 1",
        "# planned: database 3 -> # planned: config 3",
        "# planned: database 3 -> # planned: evidence 3",
        "# planned: database 3 -> # planned: 3",
        "# planned: database 3 -> # planned: database",
        "# planned: database 3 -> # planned: database 3 3",
        "# planned: evidence 1 -> # planned: evidence 0",
        "# planned: evidence 1 -> # planned: evidence -1",
        "# planned: evidence 1 -> # planned: evidence many",
        "# planned: evidence 1 -> # planned: evidence 99999999999",
        "# planned: database 3 -> # intended: database 3",
        "# outcome: degraded -> # outcome: fine",
        "# taken: 2026 -> # taken: today",
        "# name: nightly -> # name: ../nightly",
        "# snapshot: 01jd -> # snapshot: 01/jd",
        "plain-bytes=3 -> plain-bytes=3.5",
        " of=database -> ",
        "/lists/ -> /packs/",
        "/manifests/ -> /lists/",
        "-9.age -> -09.age",
      })
  void what_it_cannot_mean_is_malformed(String replacement) throws Exception {
    String[] words = replacement.split(" -> ", -1);
    String changed = text().replace(words[0], words[1]);
    assertNotEquals(text(), changed, "nothing was replaced");
    Entry entry = signed(changed);
    var e = assertThrows(BackupException.Corrupt.class, () -> SnapshotEntry.of(entry));
    assertEquals(CoreFailure.MALFORMED, e.code());
  }
}
