package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.BundleImport;
import org.stellaops.backup.bundle.BundleReport;
import org.stellaops.backup.bundle.BundleRequest;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.bundle.TarballRequest;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.testkit.MemorySink;

/** What a listener hears of how far a run is, by a clock that only a test moves. */
class ProgressIT {
  private static final String CAPTURE = "capture files";

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final List<Progress> heard = new ArrayList<>();
  private Instant now = Instant.parse("2026-11-20T12:00:00Z");
  private Duration perLook = Duration.ZERO;
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void makeHost() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
  }

  @AfterEach
  void nothingIsLeft() {
    owner.close();
    sink.assertNothingOpen();
  }

  @Test
  void percent_and_the_time_left_follow_the_average_speed_and_end_at_100_and_0() throws Exception {
    // Ten seconds for the first half, thirty for the other: 500 bytes a second, then slower.
    backUp(
        steps(
            new Step(10, 5_000, 10_000),
            new Step(10, 7_000, 10_000),
            new Step(20, 10_000, 10_000)));
    List<Progress> phase = phase(CAPTURE);
    assertEquals(List.of(-1, 50, 70, 100, 100), percents(phase));
    assertEquals(
        List.of(-1L, 10_000L, 8_571L, 0L, 0L),
        phase.stream().map(p -> p.remaining().map(Duration::toMillis).orElse(-1L)).toList());
    assertEquals(
        List.of(0L, 10L, 20L, 40L, 40L), phase.stream().map(p -> p.elapsed().toSeconds()).toList());
  }

  @Test
  void a_source_that_expected_more_or_less_than_came_ends_at_100() throws Exception {
    backUp(steps(new Step(1, 400, 1_000), new Step(1, 800, 1_000)));
    assertEquals(List.of(-1, 40, 80, 100), percents(phase(CAPTURE)));
    heard.clear();
    backUp(steps(new Step(1, 400, 1_000), new Step(1, 1_500, 1_000)));
    List<Progress> phase = phase(CAPTURE);
    assertEquals(List.of(-1, 40, 100, 100), percents(phase));
    assertEquals(Optional.of(Duration.ZERO), phase.get(2).remaining());
  }

  @Test
  void what_nobody_knows_is_not_made_up() throws Exception {
    backUp(steps(new Step(1, 400, 0)));
    Progress unknown = phase(CAPTURE).get(1);
    assertEquals(400, unknown.bytes());
    assertEquals(OptionalInt.empty(), unknown.percent());
    assertEquals(Optional.empty(), unknown.remaining());
  }

  @Test
  void a_listener_hears_at_most_five_times_a_second_and_always_the_end() throws Exception {
    BackupSource eager =
        ScriptedSource.capturing(
            session -> {
              session.artifact(ArtifactName.of("a"), Form.CONTENT, out -> out.write(1));
              for (int i = 1; i <= 1_000; i++) {
                now = now.plusMillis(10);
                session.progress(i, i, 1_000);
              }
            });
    backUp(eager);
    List<Progress> phase = phase(CAPTURE);
    assertEquals(1 + 10 * 5 + 1, phase.size());
    assertEquals(100, phase.get(phase.size() - 1).percent().orElseThrow());
  }

  @Test
  void files_go_from_nothing_to_all_of_their_bytes_and_never_back() throws Exception {
    int bytes = writeFiles();
    perLook = Duration.ofMillis(200);
    backUp(FileSource.in(root.resolve("tree")).include("**"));
    assertWholeWay(phase(CAPTURE), bytes, 9);
    assertEquals(
        List.of(CAPTURE, "commit"), List.copyOf(byPhase().keySet()), "phases in their order");
    heard.clear();
    restoreFiles();
    assertWholeWay(phase("restore files"), bytes, 9);
    assertEquals(List.of("restore files", "publish files"), List.copyOf(byPhase().keySet()));
  }

  @Test
  void what_is_carried_says_how_far_it_is_on_its_way_out_and_in() throws Exception {
    int bytes = writeFiles();
    backUp(FileSource.in(root.resolve("tree")).include("**"));
    perLook = Duration.ofMillis(200);
    heard.clear();
    SnapshotRef newest = SnapshotRef.newest(SnapshotRef.Quality.GOOD);
    BundleReport bundle;
    try (BackupRepository repository = open()) {
      bundle = repository.writeBundle(BundleRequest.of(root.resolve("bundle.enc"), newest));
    }
    assertEquals(List.of("bundle", "read again"), List.copyOf(byPhase().keySet()));
    assertWholeWay(phase("bundle"), 2);
    assertTrue(last(phase("bundle")).bytes() > bytes);
    long written = bundle.volumes().stream().mapToLong(BundleReport.Volume::sizeBytes).sum();
    assertWholeWay(phase("read again"), written, 2);
    heard.clear();

    BundleImport.of(
            OfflineBundle.at(root.resolve("bundle.enc")),
            new MemorySink(),
            root.resolve("quarantine"),
            Trust.owner(host.keys().id()))
        .clock(this::look)
        .listener(listener())
        .execute();
    assertEquals(List.of("bring", "verify stored", "import"), List.copyOf(byPhase().keySet()));
    assertWholeWay(phase("bring"), written, 9);
    assertWholeWay(phase("import"), 2);
    heard.clear();

    try (BackupRepository repository = open()) {
      repository.exportTarball(TarballRequest.plain(newest, root.resolve("latest-full.tar.gz")));
    }
    assertEquals(List.of("export"), List.copyOf(byPhase().keySet()));
    assertWholeWay(phase("export"), bytes, 9);
  }

  private int writeFiles() throws IOException {
    Path tree = Files.createDirectory(root.resolve("tree"));
    for (int i = 0; i < 9; i++) {
      Files.write(tree.resolve("file" + i), Fixture.random(i, 300_000));
    }
    return 9 * 300_000;
  }

  private BackupRepository open() throws IOException {
    return BackupRepository.at(sink)
        .identity(owner)
        .trust(Trust.owner(host.keys().id()))
        .executor(Runnable::run)
        .clock(this::look)
        .listener(listener())
        .open();
  }

  private void restoreFiles() throws IOException {
    try (BackupRepository repository = open()) {
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(SnapshotRef.newest(SnapshotRef.Quality.GOOD))
                  .target(Host.SOURCE, FileTarget.at(root.resolve("restored"))));
      repository.restore(plan, Confirmation.of(plan.digest()));
    }
  }

  private static Progress last(List<Progress> phase) {
    return phase.get(phase.size() - 1);
  }

  private static void assertWholeWay(List<Progress> phase, long bytes, int atLeast) {
    assertWholeWay(phase, atLeast);
    assertEquals(bytes, last(phase).bytes());
  }

  private static void assertWholeWay(List<Progress> phase, int atLeast) {
    assertTrue(phase.size() > atLeast, phase.toString());
    assertEquals(0, phase.get(0).bytes());
    for (int i = 1; i < phase.size(); i++) {
      Progress before = phase.get(i - 1);
      Progress after = phase.get(i);
      assertTrue(after.bytes() >= before.bytes(), phase.toString());
      assertTrue(after.objects() >= before.objects(), phase.toString());
      assertTrue(after.elapsed().compareTo(before.elapsed()) >= 0, phase.toString());
      assertTrue(after.percent().orElse(-1) >= before.percent().orElse(-1), phase.toString());
    }
    Progress end = last(phase);
    assertEquals(OptionalInt.of(100), end.percent());
    assertEquals(Optional.of(Duration.ZERO), end.remaining());
  }

  /**
   * A moment of a capture.
   *
   * @param seconds since the one before
   * @param bytes done by then
   * @param expectedBytes of the whole
   */
  private record Step(int seconds, long bytes, long expectedBytes) {}

  private BackupSource steps(Step... steps) {
    return ScriptedSource.capturing(
        session -> {
          session.artifact(ArtifactName.of("a"), Form.CONTENT, out -> out.write(1));
          for (Step step : steps) {
            now = now.plusSeconds(step.seconds());
            session.progress(step.bytes(), 1, step.expectedBytes());
          }
        });
  }

  private Instant look() {
    now = now.plus(perLook);
    return now;
  }

  private void backUp(BackupSource source) throws IOException {
    try (BackupEngine engine =
        host.with(source, sink).clock(this::look).listener(listener()).open()) {
      engine.backup(BackupRequest.full()).requireGood();
    }
  }

  private BackupListener listener() {
    return new BackupListener() {
      @Override
      public void progressed(Progress progress) {
        heard.add(progress);
      }
    };
  }

  private Map<String, List<Progress>> byPhase() {
    Map<String, List<Progress>> phases = new LinkedHashMap<>();
    heard.forEach(p -> phases.computeIfAbsent(p.phase(), n -> new ArrayList<>()).add(p));
    return phases;
  }

  private List<Progress> phase(String name) {
    return byPhase().getOrDefault(name, List.of());
  }

  /** -1 where unknown. */
  private static List<Integer> percents(List<Progress> phase) {
    return phase.stream().map(p -> p.percent().orElse(-1)).toList();
  }
}
