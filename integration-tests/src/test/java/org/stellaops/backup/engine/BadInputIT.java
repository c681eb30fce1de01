package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.plan.PlanInvalid;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ParentCapture;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.MemorySink;

/** What no honest caller, writer or newer version would hand us, and some that they do. */
class BadInputIT {
  private static final List<String> BAD_NAMES =
      List.of(
          "",
          ".",
          "..",
          "../escape",
          "a/b",
          "/",
          "\\",
          "a\u0000b",
          "a\nb",
          "a b",
          "ümläut",
          "\u202eevil",
          "a".repeat(121));

  @TempDir Path root;

  @Test
  void an_invalid_plan_lists_every_problem_in_whatever_order_it_was_written() throws IOException {
    try (AgeIdentity owner = AgeIdentity.generate()) {
      List<UnaryOperator<BackupPlan.Builder>> mistakes =
          new ArrayList<>(
              List.of(
                  b -> b.source("no/name", BytesSource.of("a", new byte[1])),
                  b -> b.source("twice", BytesSource.of("a", new byte[1])),
                  b -> b.source("Twice", BytesSource.of("a", new byte[1])),
                  b -> b.encryptTo(owner.recipient(), owner.recipient()),
                  b -> b.limits(new Limits(1, 0, 99, 12345))));
      Set<Set<String>> found = new HashSet<>();
      for (int seed = 0; seed < 20; seed++) {
        Collections.shuffle(mistakes, new Random(seed));
        BackupPlan.Builder builder = BackupPlan.named("bad name");
        for (UnaryOperator<BackupPlan.Builder> mistake : mistakes) {
          mistake.apply(builder);
        }
        found.add(
            new HashSet<>(
                assertThrows(PlanInvalid.class, builder::build).problems().stream()
                    .map(p -> p.replace("Twice", "twice"))
                    .toList()));
      }
      assertEquals(1, found.size(), found.toString());
      Set<String> problems = found.iterator().next();
      for (String part :
          List.of(
              "plan: name must be",
              "no/name",
              "twice",
              "recipient twice",
              "memory budget",
              "parallelism",
              "compression level",
              "blocks of",
              "no writer",
              "no sink")) {
        assertTrue(problems.stream().anyMatch(p -> p.contains(part)), part + ": " + problems);
      }
      assertEquals(10, problems.size(), problems.toString());
    }
  }

  @Test
  void a_passphrase_stands_alone_among_the_recipients() throws IOException {
    try (AgeIdentity owner = AgeIdentity.generate()) {
      Recipient phrase = AgeRecipient.passphrase(Secret.of("correct horse battery staple"));
      Recipient other = AgeRecipient.passphrase(Secret.of("battery staple horse correct"));
      for (Recipient second : List.of(owner.recipient(), other)) {
        List<String> problems = problemsOfRecipients(phrase, second);
        assertEquals(1, problems.size(), problems.toString());
        assertTrue(problems.get(0).contains("must stand alone"), problems.toString());
      }
      assertEquals(List.of("recipient twice: passphrase"), problemsOfRecipients(phrase, phrase));
    }
  }

  private static List<String> problemsOfRecipients(Recipient first, Recipient second) {
    BackupPlan.Builder plan = BackupPlan.named("p").encryptTo(first, second);
    return assertThrows(PlanInvalid.class, plan::build).problems().stream()
        .filter(p -> p.contains("recipient"))
        .toList();
  }

  @Test
  void an_empty_plan_lists_what_is_missing() {
    var invalid = assertThrows(PlanInvalid.class, () -> BackupPlan.named("empty").build());
    assertEquals(4, invalid.problems().size(), invalid.getMessage());
    for (String problem : invalid.problems()) {
      assertTrue(invalid.getMessage().contains(problem), invalid.getMessage());
    }
  }

  @Test
  void names_that_no_store_should_see_are_refused_before_there_is_any_work() {
    for (String name : BAD_NAMES) {
      assertThrows(IllegalArgumentException.class, () -> BackupRequest.full().named(name), name);
      assertThrows(IllegalArgumentException.class, () -> SnapshotRef.named(name), name);
      assertThrows(IllegalArgumentException.class, () -> ArtifactName.of(name), name);
      assertThrows(
          PlanInvalid.class,
          () -> BackupPlan.named("p").source(name, BytesSource.of("a", new byte[1])).build(),
          name);
    }
    assertEquals(120, SnapshotName.of("a".repeat(120)).value().length());
  }

  @Test
  void object_names_that_lead_elsewhere_are_refused_on_every_sink() throws IOException {
    Path outside = root.resolve("outside");
    for (BackupSink sink :
        List.of(new MemorySink(), DirectorySink.at(outside.resolve("repository")))) {
      try (ObjectStore store = sink.open(StoreContext.system())) {
        for (String name :
            List.of(
                "",
                "..",
                ".",
                "../escape",
                "a/../../escape",
                "a/./b",
                "/absolute",
                "a//b",
                "a/",
                "a\u0000b",
                "a\\..\\b",
                "a\nb",
                "x".repeat(256),
                "x/".repeat(512) + "y")) {
          assertThrows(
              IllegalArgumentException.class,
              () -> store.put(ObjectName.of(name), ObjectBody.of(new byte[1])),
              sink.describe() + " took '" + name + "'");
        }
        for (String prefix : List.of("../", "..", "/", "a/../../", "./")) {
          assertEquals(
              List.of(),
              store.list(prefix, PageToken.START).objects(),
              sink.describe() + " listed '" + prefix + "'");
        }
        assertEquals(List.of(), store.list("", PageToken.START).objects());
      }
    }
    assertFalse(Files.exists(outside), "nothing was made, inside or outside");
  }

  @Test
  void a_repository_of_a_newer_format_is_not_touched() throws IOException {
    try (DamagedRepository repository = new DamagedRepository(root)) {
      repository.fill(BytesSource.of("a", new byte[5]));
      ObjectName name = ObjectName.of("repository.json");
      String json = new String(repository.raw().read(name), StandardCharsets.UTF_8);
      repository.raw().write(name, json.replace("\"format\":1", "\"format\":2").getBytes("UTF-8"));
      var before = repository.sink.snapshot().keySet();
      for (Executable open :
          List.<Executable>of(
              repository::open, () -> repository.engine(BytesSource.of("a", new byte[5])))) {
        var refused = assertThrows(BackupException.Corrupt.class, open);
        assertEquals(CoreFailure.UNSUPPORTED_FORMAT, refused.code());
        assertTrue(refused.getMessage().contains("repository.json"), refused.getMessage());
      }
      assertEquals(before, repository.sink.snapshot().keySet());
    }
  }

  /** Somebody whom nobody trusts can write it; a reader without pinned writers meets it. */
  @Test
  void a_snapshot_that_says_it_builds_on_itself_is_refused() throws IOException {
    ScriptedSource source =
        ScriptedSource.capturing(
            session -> {
              session.artifact(ArtifactName.of("a"), Form.CONTENT, out -> out.write(1));
              session.dependsOn(capturedBy(new SnapshotId(session.run().value())));
            });
    try (Fixture fixture = new Fixture(root);
        BackupEngine engine = fixture.engine(source)) {
      SnapshotId snapshot = engine.backup(BackupRequest.full()).snapshot();
      RestoreRequest request =
          RestoreRequest.of(snapshot).with(fixture.owner).target("files", new BytesSource.Target());
      var refused =
          assertTimeoutPreemptively(
              Duration.ofSeconds(60),
              () -> assertThrows(BackupException.Corrupt.class, () -> engine.planRestore(request)));
      assertEquals(CoreFailure.MALFORMED, refused.code());
      assertTrue(refused.getMessage().contains("builds on itself"), refused.getMessage());
    }
  }

  private static ParentCapture capturedBy(SnapshotId snapshot) {
    CaptureHeader header =
        new CaptureHeader(
            snapshot,
            SourceName.of("files"),
            Component.of("config"),
            SourceKind.of("bytes/1"),
            Instant.EPOCH,
            1,
            Outcome.GOOD,
            List.of(),
            Optional.empty(),
            1,
            1,
            1);
    return new ParentCapture() {
      @Override
      public CapturedSource captured() {
        return new CapturedSource(header, List.of(), List.of(), List.of(), Map.of(), Map.of());
      }

      @Override
      public Optional<InputStream> recall(ArtifactName remembered) {
        return Optional.empty();
      }
    };
  }

  /** What a newer version might write, and whether it chains on or stands last. */
  private interface Newer {
    Forgery of(String entry);
  }

  @Test
  void an_entry_of_a_newer_format_hides_no_other() throws IOException {
    List<Newer> newer =
        List.of(
            entry ->
                Forgery.after(entry)
                    .field("# stella-backup entry 1", "# stella-backup entry 2")
                    .field("# name: snapshot-1", "# name: newer"),
            entry ->
                Forgery.after(entry).field("# name: snapshot-1", "# name: newer\n# requires: x"));
    for (int i = 0; i < newer.size(); i++) {
      try (DamagedRepository repository =
          new DamagedRepository(Files.createDirectory(root.resolve("newer-" + i)))) {
        repository.fill(BytesSource.of("a", Fixture.random(1, 100)));
        ObjectName slot = ObjectName.of("log/host-a/0000000003.entry");
        byte[] first = repository.raw().read(ObjectName.of("log/host-a/0000000002.entry"));
        String entry = newer.get(i).of(new String(first, "US-ASCII")).signedBy(repository.keys);
        repository.raw().write(slot, entry.getBytes("US-ASCII"));
        assertNewer(repository, slot, List.of("snapshot-1"));
        var refused =
            assertThrows(
                BackupException.Corrupt.class,
                () -> repository.backup("older", BytesSource.of("a", new byte[1])),
                "an older version does not write behind a newer one");
        assertEquals(CoreFailure.UNSUPPORTED_FORMAT, refused.code());

        Forgery behind =
            Forgery.after(entry).replace("# name: newer(\n# requires: x)?", "# name: behind");
        if (entry.startsWith("# stella-backup entry 2")) {
          behind.field("# stella-backup entry 2", "# stella-backup entry 1");
        }
        repository
            .raw()
            .write(
                ObjectName.of("log/host-a/0000000004.entry"),
                behind.signedBy(repository.keys).getBytes("US-ASCII"));
        assertNewer(repository, slot, List.of("behind", "snapshot-1"));
      }
    }
  }

  private static void assertNewer(
      DamagedRepository repository, ObjectName slot, List<String> readable) throws IOException {
    try (BackupRepository opened = repository.open()) {
      List<Finding> damage = opened.catalog().damage();
      assertEquals(1, damage.size(), damage.toString());
      assertEquals(CoreFailure.UNSUPPORTED_FORMAT, damage.get(0).code());
      assertEquals(slot.value(), damage.get(0).subject());
      List<String> names = new ArrayList<>();
      for (var snapshot : opened.catalog().list(SnapshotFilter.all())) {
        names.add(snapshot.name().value());
      }
      Collections.sort(names);
      assertEquals(readable, names);
      for (String name : readable) {
        // The forged one has the id of the first: what counts is that its chain is whole.
        for (var report :
            opened.verifyAll(SnapshotFilter.all(), Verification.full(repository.owner))) {
          assertEquals(Verdict.INTACT, report.verdict(), name + ": " + report);
        }
      }
    }
  }

  @Test
  void a_refused_name_costs_no_operation_on_the_store() throws IOException {
    FaultPlan counted = FaultPlan.none();
    try (DamagedRepository repository = new DamagedRepository(root)) {
      BackupPlan plan =
          BackupPlan.named("test")
              .source("files", BytesSource.of("a", new byte[1]))
              .encryptTo(repository.owner.recipient())
              .writer(repository.keys)
              .sink(counted.on(repository.sink))
              .build();
      try (BackupEngine engine = BackupEngine.open(plan)) {
        long before = counted.operations();
        var unknown =
            assertThrows(
                BackupException.Refused.class,
                () -> engine.backup(BackupRequest.full().only("nothing-of-ours")));
        assertEquals(CoreFailure.NOT_FOUND, unknown.code());
        assertEquals(before, counted.operations());
        assertFalse(counted.log().isEmpty());
      }
    }
  }

  @Test
  @Tag("interop") // only for the time it takes
  void hostile_manifests_are_refused_in_little_memory() throws Exception {
    List<String> told = ChildJvm.run(root, "-Xmx112m", HostileManifests.class);
    assertTrue(told.size() > 40, told.toString());
    List<String> accepted = told.stream().filter(line -> !line.startsWith("refused ")).toList();
    assertEquals(List.of("accepted an honest manifest"), accepted);
  }
}
