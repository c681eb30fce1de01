package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Catalog;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotRef.Quality;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.testkit.MemorySink;

/** The catalog is in the store: whoever has lost everything else is told the same. */
class CatalogFromStoreIT {
  /** Asks a catalog something; the answer in full. */
  @FunctionalInterface
  private interface Question {
    Object ask(Catalog catalog) throws BackupException;
  }

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private Trust trusted = Trust.nobody();

  /** By the method that is asked: one that is new here has no question yet. */
  private static Map<String, Question> questions(SnapshotId known) {
    Map<String, Question> questions = new LinkedHashMap<>();
    questions.put(
        "list(SnapshotFilter)",
        c -> {
          List<Object> answers = new ArrayList<>();
          for (SnapshotFilter filter :
              List.of(
                  SnapshotFilter.all(),
                  SnapshotFilter.all().whole(),
                  SnapshotFilter.all().unverified(),
                  SnapshotFilter.all().holding("config"),
                  SnapshotFilter.all().ofPlan("test"),
                  SnapshotFilter.all().last(Duration.ofDays(3650)))) {
            answers.add(c.list(filter).stream().map(CatalogFromStoreIT::text).toList());
          }
          return answers;
        });
    questions.put(
        "find(SnapshotRef)",
        c ->
            List.of(
                c.find(known).map(CatalogFromStoreIT::text),
                c.find(SnapshotRef.named("let-go")).map(CatalogFromStoreIT::text),
                c.find(SnapshotRef.newest(Quality.GOOD)).map(CatalogFromStoreIT::text),
                c.find(SnapshotRef.newest(Quality.VERIFIED)).map(CatalogFromStoreIT::text)));
    questions.put("info(SnapshotRef)", c -> text(c.info(known)));
    questions.put("streams()", Catalog::streams);
    questions.put("recoverable(String)", c -> c.recoverable(Host.SOURCE));
    // Whether somebody saw a head before is the one thing that only he can know.
    questions.put(
        "freshness()",
        c -> c.freshness().stream().map(f -> f.newest() + " of " + f.time()).toList());
    questions.put("runs()", Catalog::runs);
    questions.put("damage()", Catalog::damage);
    questions.put(
        "storage()",
        c -> List.of(c.storage().kinds(), c.storage().writers(), c.storage().growth()));
    questions.put("notHeld()", Catalog::notHeld);
    return questions;
  }

  /** Everything that a summary tells. */
  private static String text(SnapshotSummary summary) {
    Map<String, Object> facts = new LinkedHashMap<>();
    Arrays.stream(SnapshotSummary.class.getMethods())
        .filter(m -> m.getDeclaringClass() == SnapshotSummary.class && m.getParameterCount() == 0)
        .sorted(Comparator.comparing(Method::getName))
        .forEach(
            m -> {
              try {
                facts.put(m.getName(), m.invoke(summary));
              } catch (ReflectiveOperationException e) {
                throw new AssertionError(m.toString(), e);
              }
            });
    assertTrue(facts.containsKey("captures") && facts.containsKey("verifications"));
    return facts.toString();
  }

  private static TreeSet<String> methods() {
    TreeSet<String> methods = new TreeSet<>();
    for (Method method : Catalog.class.getDeclaredMethods()) {
      if (Modifier.isPublic(method.getModifiers()) && !method.isSynthetic()) {
        List<String> types =
            Arrays.stream(method.getParameterTypes()).map(Class::getSimpleName).toList();
        methods.add(method.getName() + "(" + String.join(", ", types) + ")");
      }
    }
    return methods;
  }

  @Test
  void whoever_lost_all_local_state_is_told_the_same() throws Exception {
    AgeIdentity owner = AgeIdentity.generate();
    Host host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    Pruning pruning = new Pruning(host).withKeys();
    DamagedRepository other =
        new DamagedRepository(Files.createDirectory(root.resolve("other")), sink, "host-b");
    trusted = Trust.owner(other.writer);
    Path workspace = root.resolve("reader");
    backUp(host, pruning, "let-go", 0, 10);
    record(host, pruning, 0, 50);
    backUpAnother(host, other, owner);
    answers(workspace, host, other, pruning, List.of(SnapshotRef.named("let-go")));
    backUp(host, pruning, "kept", 50, 60);
    try (BackupEngine engine = engine(host, pruning, 60, 70, ScriptedStream.following(s -> {}))) {
      VerificationReport verified =
          engine.verify(SnapshotRef.named("kept"), Verification.full(owner));
      assertTrue(verified.isIntact());
    }
    pruning.prune(1);
    backUp(host, pruning, "newest", 60, 70);
    record(host, pruning, 50, 90);
    pruning.prune(2);
    SnapshotId kept;
    try (BackupRepository reader = reader(workspace, host, other, pruning)) {
      kept = reader.catalog().info(SnapshotRef.named("kept")).id();
      assertEquals(3, reader.catalog().list(SnapshotFilter.all()).size());
    }
    Map<String, String> warm = answers(workspace, host, other, pruning, List.of(kept));
    deleteAll(workspace);
    Map<String, String> cold = answers(workspace, host, other, pruning, List.of(kept));
    assertEquals(methods(), new TreeSet<>(warm.keySet()), "every question is asked");
    warm.forEach((question, answer) -> assertEquals(answer, cold.get(question), question));
    assertFalse(warm.getOrDefault("streams()", "[]").equals("[]"));
    assertFalse(warm.getOrDefault("recoverable(String)", "[]").equals("[]"));
    assertFalse(warm.getOrDefault("runs()", "[]").equals("[]"));
    assertEquals("[]", warm.get("damage()"));
    owner.close();
    other.close();
    sink.assertNothingOpen();
  }

  /** A writer of its own, that knows the first one. */
  private void backUpAnother(Host host, DamagedRepository other, AgeIdentity owner)
      throws IOException {
    BackupPlan plan =
        BackupPlan.named("another")
            .source("files", BytesSource.of("a", Fixture.random(1, 9_000)))
            .encryptTo(owner.recipient())
            .writer(other.keys)
            .trust(Trust.owner(host.keys().id()))
            .sink(sink)
            .build();
    try (BackupEngine engine = BackupEngine.with(plan).executor(Runnable::run).open()) {
      engine.backup(BackupRequest.full().named("of-another")).requireGood();
    }
  }

  private BackupEngine engine(Host host, Pruning pruning, long from, long to, ScriptedStream stream)
      throws IOException {
    return host.with(
            host.plan(sink).source(Host.SOURCE, StreamHost.capture(1, from, to)).stream(
                    StreamHost.STREAM, stream)
                .janitor(pruning.keys())
                .trust(trusted)
                .build())
        .open();
  }

  private void backUp(Host host, Pruning pruning, String name, long from, long to)
      throws IOException {
    try (BackupEngine engine = engine(host, pruning, from, to, ScriptedStream.following(s -> {}))) {
      engine.backup(BackupRequest.full().named(name)).requireGood();
    }
  }

  private void record(Host host, Pruning pruning, long from, long to) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    ScriptedStream stream = ScriptedStream.doing(s -> ScriptedStream.append(s, 1, from, to), done);
    try (BackupEngine engine = engine(host, pruning, 0, 10, stream)) {
      engine.stream(StreamHost.STREAM);
      assertTrue(done.await(60, TimeUnit.SECONDS));
    }
  }

  /** A reader with a workspace that may remember heads. */
  private BackupRepository reader(
      Path workspace, Host host, DamagedRepository other, Pruning pruning) throws IOException {
    Trust trust = pruning.trust().and(Trust.owner(other.writer));
    return BackupRepository.at(sink)
        .trust(trust)
        .executor(Runnable::run)
        .workspace(workspace)
        .open();
  }

  private Map<String, String> answers(
      Path workspace, Host host, DamagedRepository other, Pruning pruning, List<SnapshotRef> about)
      throws IOException {
    Map<String, String> answers = new LinkedHashMap<>();
    try (BackupRepository reader = reader(workspace, host, other, pruning)) {
      SnapshotId known = reader.catalog().info(about.get(0)).id();
      for (Map.Entry<String, Question> question : questions(known).entrySet()) {
        answers.put(question.getKey(), String.valueOf(question.getValue().ask(reader.catalog())));
      }
    }
    return answers;
  }

  private static void deleteAll(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      List<Path> all = new ArrayList<>(paths.toList());
      assertTrue(all.size() > 1, "there is local state to lose");
      all.sort(Comparator.reverseOrder());
      for (Path path : all) {
        Files.delete(path);
      }
    }
  }
}
