package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Witness;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.testkit.MemorySink;

/** What a source said of its capture is kept whole, for owners only. */
class ContentsIT {
  private static final SnapshotRef WHOLE = SnapshotRef.named("whole");
  private static final Digest HEAD = Digest.ofContent(new byte[] {1});
  private static final InventoryItem USERS =
      InventoryItem.of("canary.users", 12, 3456, Digest.ofContent(new byte[] {2}));
  private static final Position START = new Position("7301", 3, 0x1600000028L, "16/28");
  private static final Position END = new Position("7301", 3, 0x1600000130L, "16/130");

  private static final Instant CONSISTENT = Instant.parse("2026-11-20T10:00:00.123456Z");

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void oneSnapshot() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    ScriptedSource source =
        ScriptedSource.capturing(
            session -> {
              session.span(new CaptureSpan(START, END, CONSISTENT));
              session.version("server", "canary 16.4");
              session.property("consistency", "SNAPSHOT");
              session.expect(USERS);
              session.artifact(
                  ArtifactName.of("a"), Form.CONTENT, out -> out.write(new byte[] {7, 8, 9}));
              session.artifact(ArtifactName.of("empty"), Form.WHOLE, out -> {});
              session.captured(USERS);
              session.witness("audit", HEAD, 99);
            });
    host.backUp(source, "whole").requireGood();
  }

  @AfterEach
  void nothingIsLeft() {
    owner.close();
    sink.assertNothingOpen();
  }

  private static void assertAll(List<CapturedSource> contents) {
    assertEquals(1, contents.size());
    CapturedSource source = contents.get(0);
    assertEquals(Host.SOURCE, source.header().source().value());
    assertEquals(
        List.of(
            new CapturedArtifact(ArtifactName.of("a"), 3, Digest.ofContent(new byte[] {7, 8, 9})),
            new CapturedArtifact(ArtifactName.of("empty"), 0, Digest.ofContent(new byte[0]))),
        source.artifacts());
    assertEquals(List.of(USERS), source.inventory());
    assertEquals(Optional.of(new CaptureSpan(START, END, CONSISTENT)), source.header().span());
    assertEquals(List.of(new Witness("audit", 99, HEAD)), source.witnesses());
    assertEquals(Map.of("server", "canary 16.4"), source.versions());
    assertEquals(Map.of("consistency", "SNAPSHOT"), source.properties());
  }

  @Test
  void an_owner_reads_all_that_a_source_said() throws Exception {
    try (BackupRepository opened = host.repository(owner)) {
      assertAll(opened.contents(WHOLE));
      assertEquals(
          opened.catalog().info(WHOLE).captures(),
          opened.contents(WHOLE).stream().map(CapturedSource::header).toList());
      var refused =
          assertThrows(
              BackupException.Refused.class, () -> opened.contents(SnapshotRef.named("hole")));
      assertEquals(CoreFailure.NOT_FOUND, refused.code());
    }
  }

  @Test
  void whoever_writes_backups_reads_it_with_an_identity_only() throws Exception {
    try (AgeIdentity stranger = AgeIdentity.generate();
        BackupEngine engine = host.with(BytesSource.of("a", new byte[1]), sink).open()) {
      engine.backup(BackupRequest.full().named("other"));
      var none = assertThrows(BackupException.Crypto.class, () -> engine.contents(WHOLE));
      assertEquals(CoreFailure.KEY_UNAVAILABLE, none.code());
      var wrong =
          assertThrows(BackupException.Crypto.class, () -> engine.contents(WHOLE, stranger));
      assertEquals(CoreFailure.WRONG_KEY, wrong.code());
      assertAll(engine.contents(WHOLE, stranger, owner));
    }
  }

  @Test
  void a_source_may_count_and_find_more_than_a_line_holds() throws Exception {
    List<InventoryItem> many =
        IntStream.range(0, 50_000)
            .mapToObj(i -> InventoryItem.of("collection-with-a-name-of-its-own-" + i, i, 7))
            .toList();
    BackupReport report =
        host.backUp(
            ScriptedSource.capturing(
                session -> {
                  many.forEach(session::captured);
                  for (int i = 0; i < 20_000; i++) {
                    session.finding(
                        new Finding(
                            CoreFailure.CONTENT_DIFFERS, "object-" + i, "is not what it was"));
                  }
                  session.artifact(
                      ArtifactName.of("a"), Form.CONTENT, out -> out.write(new byte[1]));
                }),
            "many");
    assertEquals(20_000, report.findings().size());
    try (BackupRepository opened = host.repository(owner)) {
      assertEquals(many, opened.contents(SnapshotRef.named("many")).get(0).inventory());
      opened.verify(SnapshotRef.named("many"), Verification.full(owner));
    }
    // what the next run remembers of this one
    host.backUp(BytesSource.of("a", new byte[2]), "next").requireGood();
  }

  @Test
  void nothing_of_it_is_stored_in_clear() throws Exception {
    for (ObjectName name : sink.raw().names()) {
      String stored = new String(sink.raw().read(name), StandardCharsets.ISO_8859_1);
      assertFalse(stored.contains("canary"), name.value());
    }
  }
}
