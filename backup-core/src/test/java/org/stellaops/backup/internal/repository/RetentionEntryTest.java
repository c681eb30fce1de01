package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.RetentionEntry.Doom;
import org.stellaops.backup.internal.repository.RetentionEntry.EntryRef;
import org.stellaops.backup.internal.repository.RetentionEntry.Hold;
import org.stellaops.backup.internal.repository.RetentionEntry.Recall;
import org.stellaops.backup.internal.repository.RetentionEntry.Release;
import org.stellaops.backup.internal.repository.RetentionEntry.Released;
import org.stellaops.backup.internal.repository.RetentionEntry.Retire;
import org.stellaops.backup.internal.repository.RetentionEntry.Sweep;
import org.stellaops.backup.internal.repository.RetentionEntry.Swept;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.SourceName;

class RetentionEntryTest {
  private static final long SLOT = 42;
  private static final Digest DIGEST = Digest.ofContent(new byte[1]);
  private static final EntryRef SNAPSHOT = new EntryRef("host-a", 7, DIGEST);
  private static final Instant TIME = Instant.parse("2026-11-20T02:00:00Z");

  private final TestSigner signer = new TestSigner();

  private Entry entry(Entry.Draft draft) throws Exception {
    byte[] bytes = signer.entry(Names.RETENTION, SLOT, Optional.of(DIGEST), draft);
    return Entry.parse(bytes, "test", new SeenSignatures());
  }

  private static List<RetentionEntry> samples() {
    TreeSet<SourceName> some = new TreeSet<>(List.of(SourceName.of("a"), SourceName.of("b.c")));
    TreeSet<SourceName> all = new TreeSet<>(List.of(SourceName.of("all")));
    return List.of(
        new Retire(
            List.of(
                new Released(SNAPSHOT, new TreeSet<>(), "older than 30 days"),
                new Released(SNAPSHOT, some, "for another reason"),
                new Released(SNAPSHOT, all, ""))),
        new Hold(SNAPSHOT, Optional.of(TIME), "an audit", "ann"),
        new Hold(SNAPSHOT, Optional.empty(), "an audit", "ann"),
        new Release(SNAPSHOT, "over", "ann"),
        new Doom("host-a", TIME, Names.doomed(DIGEST, 160)),
        new Sweep(List.of(3L, 41L), List.of()),
        new Sweep(
            List.of(),
            List.of(
                new Swept("host-a.wal", 1, new Head(64, DIGEST), Optional.empty()),
                new Swept(
                    "host-a.wal", 65, new Head(65, DIGEST), Optional.of(new Head(64, DIGEST))))),
        new Recall(List.of(5L), "a mistake", "ann"));
  }

  @Test
  void every_kind_is_read_as_it_was_written() throws Exception {
    for (RetentionEntry sample : samples()) {
      assertEquals(sample, RetentionEntry.of(entry(sample.draft())));
    }
  }

  @Test
  void any_text_fits_a_reason() throws Exception {
    Recall odd = new Recall(List.of(5L), " two\nlines \u00e9\u2026 ", "x".repeat(500));
    Recall read = (Recall) RetentionEntry.of(entry(odd.draft()));
    assertEquals("two?lines ?.", read.reason());
    assertTrue(read.actor().length() > 190, read.actor());
  }

  @ParameterizedTest
  @CsvSource({
    "retire, retire, host-a/7 %s",
    "retire, retire, host-a/0 %s all",
    "retire, retire, host-a/7 %s a b",
    "hold, hold, host-a/7 %s",
    "hold, hold, host-a/7 %s until=soon",
    "release, release, host-a %s",
    "sweep, sweep, 42",
    "sweep, sweep, 0",
    "sweep, swept, host-a 1-2 %s none",
    "sweep, swept, host-a.wal 2-1 %s none",
    "sweep, swept, host-a.wal 2-3 %s none",
    "recall, recall, x",
    "recall, nothing, 1",
    "doom, writer, host-a",
    "burn, retire, host-a/7 %s all",
  })
  void anything_else_is_refused(String kind, String field, String value) throws Exception {
    Entry.Draft draft = new Entry.Draft(kind).field(field, value.formatted(DIGEST));
    draft.field("reason", "r").field("actor", "a").field("not-before", TIME.toString());
    Entry entry = entry(draft);
    assertThrows(BackupException.Corrupt.class, () -> RetentionEntry.of(entry));
  }

  @Test
  void an_entry_that_needs_a_feature_is_not_obeyed_in_part() throws Exception {
    Entry entry = entry(new Recall(List.of(5L), "r", "a").draft().field("requires", "x"));
    assertThrows(BackupException.Corrupt.class, () -> RetentionEntry.of(entry));
  }

  @Test
  void what_is_let_go_at_once_is_said_in_entries_that_fit() throws Exception {
    TreeSet<SourceName> sources = new TreeSet<>();
    for (int i = 0; i < 60; i++) {
      sources.add(SourceName.of("s%02d".formatted(i) + "x".repeat(37)));
    }
    List<Released> all = new ArrayList<>();
    for (int i = 1; i <= 1000; i++) {
      all.add(new Released(new EntryRef("host-a", i, DIGEST), sources, "kept by no rule"));
    }
    List<Released> said = new ArrayList<>();
    for (Retire some : Retire.of(all)) {
      assertTrue(some.draft().lengthBytes() < 800 << 10);
      said.addAll(((Retire) RetentionEntry.of(entry(some.draft()))).released());
    }
    assertEquals(all, said);
    List<Released> small = new ArrayList<>();
    all.forEach(r -> small.add(new Released(r.snapshot(), new TreeSet<>(), "")));
    assertEquals(1, Retire.of(small).size());
    small.addAll(small);
    assertEquals(2, Retire.of(small).size());
    assertEquals(List.of(), Retire.of(List.of()));
  }
}
