package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Endpoint;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

class RestoreHarnessTest {
  private static final byte[] CONTENT = "some content".getBytes(StandardCharsets.UTF_8);
  private static final ArtifactName FILE = ArtifactName.of("file.x");

  @TempDir Path directory;
  private Path live;
  private Captured captured;

  @BeforeEach
  void capture() throws IOException {
    Path source = Files.createDirectory(directory.resolve("source"));
    Files.write(source.resolve("x"), CONTENT);
    captured = CaptureHarness.of(new ToySource(source)).capture();
    live = directory.resolve("live");
  }

  @Test
  void a_restore_plans_stages_and_publishes() throws IOException {
    var harness = RestoreHarness.of(new ToyTarget(live), captured);

    RestorePlanned planned = harness.restore();

    assertArrayEquals(CONTENT, Files.readAllBytes(live.resolve("x")));
    assertEquals(TargetState.Occupancy.ABSENT, planned.state().occupancy());
    assertEquals(RestorePlanning.Undo.REMOVE, planned.undo());
    assertEquals(Set.of(FILE, ToySource.LIST), harness.verified());
    assertEquals("/restored", harness.endpoint().orElseThrow().uri().getPath());
  }

  @Test
  void a_blocker_refuses_the_restore() throws IOException {
    Files.createDirectory(live);

    var e =
        assertThrows(
            BackupException.Refused.class,
            () -> RestoreHarness.of(new ToyTarget(live), captured).restore());

    assertEquals(CoreFailure.TARGET_NOT_EMPTY, e.blockers().get(0).code());
  }

  @Test
  void a_flipped_bit_comes_out_and_is_reported_at_the_end_of_the_artifact() throws IOException {
    var seen = new byte[CONTENT.length];
    var harness =
        reading(
                session -> {
                  try (InputStream in = session.open(captured.source(), FILE)) {
                    in.readNBytes(seen, 0, seen.length);
                    assertEquals(CoreFailure.CORRUPT_OBJECT, corrupt(in).code());
                    assertEquals(CoreFailure.CORRUPT_OBJECT, corrupt(in).code());
                  }
                })
            .damage("file.x", ArtifactDamage.flip(3));

    harness.stage();

    assertEquals(3, Arrays.mismatch(CONTENT, seen));
    assertFalse(harness.verified().contains(FILE));
    assertTrue(harness.opened().contains(FILE));
  }

  @Test
  void a_truncated_artifact_is_reported_as_truncated() {
    var harness = restoring().damage("file.x", ArtifactDamage.truncate(5));

    var e = assertThrows(BackupException.Corrupt.class, harness::restore);

    assertEquals(CoreFailure.TRUNCATED, e.code());
    assertFalse(Files.exists(live));
    assertFalse(Files.exists(directory.resolve("live.staging")));
  }

  @Test
  void an_extended_artifact_is_reported() {
    var harness = restoring().damage("file.x", ArtifactDamage.extend((byte) 1));

    assertThrows(BackupException.Corrupt.class, harness::stage);
  }

  @Test
  void a_mended_artifact_restores() throws IOException {
    var harness = restoring().damage("file.x", ArtifactDamage.flip(0));
    assertThrows(BackupException.Corrupt.class, harness::stage);

    harness.mend().restore();

    assertArrayEquals(CONTENT, Files.readAllBytes(live.resolve("x")));
  }

  @Test
  void a_range_is_delivered_and_reaches_at_most_to_the_end() throws IOException {
    reading(
            session -> {
              assertArrayEquals(
                  "content".getBytes(StandardCharsets.UTF_8), range(session, 5, Long.MAX_VALUE));
              assertArrayEquals(new byte[0], range(session, 99, 1));
              assertArrayEquals(new byte[] {'o'}, range(session, 1, 1));
            })
        .stage();
  }

  @Test
  void a_damaged_byte_never_comes_out_of_a_range() throws IOException {
    reading(
            session -> {
              assertArrayEquals(new byte[] {'s', 'o', 'm'}, range(session, 0, 3));
              assertArrayEquals(new byte[] {' '}, range(session, 4, 1));
              assertThrows(BackupException.Corrupt.class, () -> range(session, 2, 2));
            })
        .damage("file.x", ArtifactDamage.flip(3))
        .stage();
  }

  @Test
  void a_stream_left_open_is_a_breach() {
    assertBreach(
        "opened and not closed: [file.x]", session -> session.open(captured.source(), FILE));
  }

  @Test
  void asking_for_an_earlier_endpoint_while_staging_is_a_breach() throws IOException {
    RestoreStep asking = session -> session.restored(SourceName.of("database"));
    assertBreach("is asked for in stage", asking);

    Endpoint endpoint = new Endpoint(java.net.URI.create("jdbc:none"), Map.of());
    reading(
            session ->
                assertEquals(endpoint, session.restored(SourceName.of("database")).orElseThrow()))
        .restored("database", endpoint)
        .publish();
  }

  @Test
  void an_unknown_artifact_is_a_breach() {
    assertBreach(
        "no artifact nothing",
        session -> session.open(captured.source(), ArtifactName.of("nothing")));
  }

  @Test
  void progress_that_goes_backwards_is_a_breach() {
    assertBreach(
        "goes backwards",
        session -> {
          session.progress(2, 0, 0);
          session.progress(1, 0, 0);
        });
  }

  @Test
  void a_stopped_restore_ends_as_stopped() {
    assertThrows(BackupException.Stopped.class, () -> restoring().stopAfter(0).stage());
    assertThrows(BackupException.Stopped.class, () -> restoring().stopAfter(1).stage());
  }

  @Test
  void a_target_that_does_not_say_what_stands_there_is_a_breach() {
    assertThrows(AssertionError.class, () -> reading(session -> {}).plan());
  }

  @Test
  void a_chain_is_restored_in_order() throws IOException {
    Path source = directory.resolve("source");
    Files.writeString(source.resolve("y"), "more");
    Captured increment = CaptureHarness.of(new ToySource(source)).parent(captured).capture();

    RestoreHarness.of(new ToyTarget(live), increment).restore();

    assertArrayEquals(CONTENT, Files.readAllBytes(live.resolve("x")));
    assertEquals("more", Files.readString(live.resolve("y")));
  }

  private RestoreHarness restoring() {
    return RestoreHarness.of(new ToyTarget(live), captured);
  }

  private RestoreHarness reading(RestoreStep step) {
    return RestoreHarness.of(new ScriptedTarget(step), captured);
  }

  private void assertBreach(String what, RestoreStep step) {
    var e = assertThrows(AssertionError.class, () -> reading(step).stage());
    assertTrue(
        e.getMessage().contains(what) || String.valueOf(e.getCause()).contains(what),
        e.getMessage());
  }

  private byte[] range(RestoreSession session, long offset, long length) throws IOException {
    try (InputStream in = session.open(captured.source(), FILE, new ByteRange(offset, length))) {
      return in.readAllBytes();
    }
  }

  private static BackupException.Corrupt corrupt(InputStream in) {
    return assertThrows(BackupException.Corrupt.class, in::read);
  }

  private interface RestoreStep {
    void run(RestoreSession session) throws IOException;
  }

  private record ScriptedTarget(RestoreStep step) implements RestoreTarget {
    @Override
    public TargetDescription describe() {
      return new TargetDescription(Digest.ofContent(CONTENT).hex(), Map.of());
    }

    @Override
    public boolean accepts(SourceKind kind) {
      return true;
    }

    @Override
    public void plan(RestorePlanning planning) {}

    @Override
    public void stage(RestoreSession session) throws IOException {
      step.run(session);
    }

    @Override
    public void publish(RestoreSession session) throws IOException {
      step.run(session);
    }

    @Override
    public void rollBack(RestoreSession session) throws IOException {
      step.run(session);
    }
  }
}
