package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.PromotionPlan;
import org.stellaops.backup.plan.PromotionRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.MemorySink;

/** The primary is lost, and a copy takes its place. */
class PromotionIT {
  @TempDir Path root;
  private final MemorySink primary = new MemorySink();
  private final MemorySink copy = new MemorySink();
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void twoSnapshotsInTwoPlaces() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), primary).withKeys();
    host.backUp(content(1), "s1").requireGood();
    host.backUp(content(2), "s2").requireGood();
    copyNow();
  }

  @AfterEach
  void closed() {
    owner.close();
    copy.assertNothingOpen();
    primary.assertNothingOpen();
  }

  private static BytesSource content(long seed) {
    return BytesSource.of("same", Fixture.random(9, 80_000))
        .with("own", Fixture.random(seed, 40_000));
  }

  private void copyNow() throws IOException {
    try (BackupRepository repository = host.repository(owner)) {
      repository.copy(CopyRequest.to(copy)).requireComplete();
    }
  }

  /** As the administrator of the host, who remembers what it saw. */
  private BackupRepository administered(BackupSink at) throws IOException {
    return BackupRepository.at(at)
        .identity(owner)
        .trust(Trust.owner(host.keys().id()))
        .signedBy(host.keys())
        .workspace(host.workspace())
        .executor(Runnable::run)
        .open();
  }

  private void promote(BackupSink at, PromotionRequest request) throws IOException {
    try (BackupRepository repository = administered(at)) {
      PromotionPlan plan = repository.planPromotion(request);
      repository.promote(plan, Confirmation.of(plan.digest()));
    }
  }

  private void assertHolds(MemorySink sink, int... seeds) throws IOException {
    try (BackupRepository repository = administered(sink)) {
      assertEquals(StoreRole.PRIMARY, repository.role());
      assertEquals(List.of(), repository.catalog().damage());
      assertEquals(seeds.length, repository.catalog().list(SnapshotFilter.all()).size());
      for (int seed : seeds) {
        Host.assertComplete(repository, SnapshotRef.named("s" + seed), content(seed), owner);
      }
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
      assertEquals(0, report.unnamed().objects());
    }
  }

  private static void assertRefused(FailureCode code, Attempt attempt) {
    var e = assertThrows(BackupException.class, attempt::make);
    assertEquals(code, e.code(), e.getMessage());
  }

  @FunctionalInterface
  private interface Attempt {
    void make() throws Exception;
  }

  @Test
  void writers_go_on_in_a_copy_that_became_the_primary() throws IOException {
    try (BackupRepository repository = administered(copy)) {
      PromotionPlan plan = repository.planPromotion(PromotionRequest.ofWhole());
      assertEquals(List.of(), plan.lost());
      assertTrue(plan.isPossible(), plan.describe());
      assertEquals(StoreRole.COPY, repository.role(), "a plan changes nothing");
    }
    assertRefused(CoreFailure.NOT_PRIMARY, () -> host.backUp(content(3), "s3", copy));
    promote(copy, PromotionRequest.ofWhole());
    long before = primary.raw().names().size();
    var third = host.backUp(content(3), "s3", copy).requireGood();
    assertTrue(third.newBytes() < 60_000, "what is there is known: " + third.newBytes());
    assertHolds(copy, 1, 2, 3);
    // The former primary comes back.
    assertRefused(CoreFailure.CHAIN_BROKEN, () -> host.backUp(content(4), "s4", primary));
    assertEquals(before, primary.raw().names().size(), "nothing was committed there");
    assertRefused(CoreFailure.COPY_CONFLICT, this::copyNow);
    // A new copy is made of the new primary.
    MemorySink next = new MemorySink();
    try (BackupRepository repository = administered(copy)) {
      repository.copy(CopyRequest.to(next)).requireComplete();
    }
    try (BackupRepository repository = administered(next)) {
      assertEquals(StoreRole.COPY, repository.role());
      assertEquals(3, repository.catalog().list(SnapshotFilter.all()).size());
      assertEquals(List.of(), repository.catalog().damage());
    }
  }

  @Test
  void what_is_known_to_be_lost_is_told_and_accepted_only_with_a_reason() throws IOException {
    host.backUp(content(3), "s3").requireGood();
    LogHead lost;
    try (BackupRepository repository = administered(copy)) {
      PromotionPlan plan = repository.planPromotion(PromotionRequest.ofWhole());
      assertEquals(1, plan.lost().size(), plan.describe());
      assertEquals("log/host-a/0000000006.entry", plan.lost().get(0).subject());
      assertFalse(plan.isPossible());
      assertRefused(
          CoreFailure.PROMOTION_LOSES,
          () -> repository.promote(plan, Confirmation.of(plan.digest())));
      lost = plan.heads().get(plan.heads().size() - 1);
      PromotionPlan other =
          repository.planPromotion(PromotionRequest.ofWhole().acceptingLoss("site a burnt"));
      assertRefused(
          CoreFailure.PLAN_STALE, () -> repository.promote(other, Confirmation.of(plan.digest())));
      repository.promote(other, Confirmation.of(other.digest()));
    }
    assertEquals("host-a", lost.log());
    host.backUp(content(4), "s4", copy).requireGood();
    assertHolds(copy, 1, 2, 4);
    try (BackupRepository repository = administered(copy)) {
      assertTrue(
          repository.catalog().notHeld().toString().contains("host-a/5"),
          repository.catalog().notHeld().toString());
    }
    assertTrue(
        copy.raw().names().contains(ObjectName.of("log/host-a/0000000008.entry")),
        "behind what was seen");
    // Whoever never saw this machine's memory sees the same.
    try (BackupRepository stranger = host.repository(owner, copy)) {
      assertEquals(List.of(), stranger.catalog().damage());
    }
    // What was lost is still whole where it was.
    try (BackupRepository former = host.repository(owner, primary)) {
      Host.assertComplete(former, SnapshotRef.named("s3"), content(3), owner);
    }
  }

  @Test
  void what_somebody_else_saw_is_missed_too() throws IOException {
    LogHead seen = LogHead.parse("host-a/9 " + "ab".repeat(32));
    try (BackupRepository repository = administered(copy)) {
      PromotionPlan plan = repository.planPromotion(PromotionRequest.ofWhole().expecting(seen));
      assertEquals(1, plan.lost().size());
      assertTrue(plan.heads().contains(seen));
    }
  }

  @Test
  void only_copies_are_promoted_and_only_by_an_administrator() throws IOException {
    assertRefused(
        CoreFailure.PROMOTION_REFUSED, () -> promote(primary, PromotionRequest.ofWhole()));
    try (BackupRepository keyless = host.repository(owner, copy)) {
      assertRefused(
          CoreFailure.KEY_UNAVAILABLE, () -> keyless.planPromotion(PromotionRequest.ofWhole()));
    }
    WriterKeyFile other = WriterKeyFile.at(root.resolve("other.key")).named("host-b");
    other.open().close();
    try (BackupRepository intruder =
        BackupRepository.at(copy)
            .trust(Trust.owner(host.keys().id()))
            .signedBy(other)
            .executor(Runnable::run)
            .open()) {
      assertRefused(
          CoreFailure.PROMOTION_REFUSED, () -> intruder.planPromotion(PromotionRequest.ofWhole()));
    }
    SortedMap<ObjectName, byte[]> there = copy.snapshot();
    ObjectName marker = ObjectName.of("sink.json");
    String says = new String(copy.raw().read(marker), StandardCharsets.UTF_8);
    for (String role : List.of("archive", "bundle")) {
      copy.raw()
          .write(
              marker,
              says.replace("\"copy\"", "\"" + role + "\"").getBytes(StandardCharsets.UTF_8));
      assertRefused(CoreFailure.PROMOTION_REFUSED, () -> promote(copy, PromotionRequest.ofWhole()));
    }
    copy.reset(there);
    promote(copy, PromotionRequest.ofWhole());
    assertRefused(CoreFailure.PROMOTION_REFUSED, () -> promote(copy, PromotionRequest.ofWhole()));
  }

  /** On a machine that remembers nothing, since the copy is set back again and again. */
  private void promoteAnew(BackupSink at) throws IOException {
    promoteAnew(at, PromotionRequest.ofWhole());
  }

  private void promoteAnew(BackupSink at, PromotionRequest request) throws IOException {
    try (BackupRepository repository =
        BackupRepository.at(at)
            .trust(Trust.owner(host.keys().id()))
            .signedBy(host.keys())
            .executor(Runnable::run)
            .open()) {
      PromotionPlan plan = repository.planPromotion(request);
      repository.promote(plan, Confirmation.of(plan.digest()));
    }
  }

  private Optional<String> newest(String log) {
    return copy.snapshot().keySet().stream()
        .filter(n -> n.value().startsWith("log/" + log + "/"))
        .max(Comparator.naturalOrder())
        .map(this::text);
  }

  private String text(ObjectName name) {
    return new String(copy.snapshot().get(name), StandardCharsets.US_ASCII);
  }

  @Test
  void what_was_lost_and_why_is_written_down_whenever_it_is_interrupted() throws IOException {
    host.backUp(content(3), "s3").requireGood();
    ObjectName lost = ObjectName.of("log/host-a/0000000006.entry");
    LogHead known = new LogHead("host-a", 6, Digest.ofContent(primary.snapshot().get(lost)));
    PromotionRequest request = PromotionRequest.ofWhole().expecting(known).acceptingLoss("burnt");
    SortedMap<ObjectName, byte[]> before = copy.snapshot();
    FaultPlan none = FaultPlan.none();
    promoteAnew(none.on(copy), request);
    int halves = 0;
    for (long operation = 0; operation < none.operations(); operation++) {
      copy.reset(before);
      FaultPlan plan =
          FaultPlan.failing(operation, FaultPlan.When.values()[(int) (operation % 3)])
              .andEverAfter();
      assertThrows(BackupException.class, () -> promoteAnew(plan.on(copy), request));
      boolean isBegun = copy.raw().names().contains(ObjectName.of("promoted.json"));
      boolean isDone = newest("admin").filter(e -> e.contains("# kind: promotion\n")).isPresent();
      if (isBegun && !isDone) {
        halves++;
        assertRefused(
            CoreFailure.PROMOTION_LOSES, () -> promoteAnew(copy, PromotionRequest.ofWhole()));
        promoteAnew(copy, PromotionRequest.ofWhole().acceptingLoss("burnt"));
      } else if (!isDone) {
        promoteAnew(copy, request);
      }
      String written = newest("admin").orElseThrow();
      for (String field : List.of("lost: " + lost, "behind: " + known, "reason: burnt")) {
        assertTrue(written.contains("\n# " + field + "\n"), plan + ": " + written);
      }
    }
    assertTrue(halves > 0, "it was interrupted in between");
    host.backUp(content(4), "s4", copy).requireGood();
    assertHolds(copy, 1, 2, 4);
  }

  @Test
  void a_copy_under_way_does_not_go_on_into_what_became_the_primary() throws IOException {
    host.backUp(content(3), "s3").requireGood();
    host.backUp(content(4), "s4").requireGood();
    AtomicInteger manifests = new AtomicInteger();
    BackupSink watched =
        HookedStore.on(
            copy,
            operation -> {
              if (operation.startsWith("put w/host-a/manifests/")
                  && manifests.incrementAndGet() == 2) {
                promoteAnew(copy);
              }
            });
    try (BackupRepository repository = host.repository(owner)) {
      assertRefused(
          CoreFailure.COPY_CONFLICT, () -> repository.copy(CopyRequest.to(watched).atOnce(1)));
    }
    assertTrue(copy.raw().names().contains(ObjectName.of("log/host-a/0000000006.entry")));
    assertFalse(copy.raw().names().contains(ObjectName.of("log/host-a/0000000008.entry")));
    try (BackupRepository repository = host.repository(owner, copy)) {
      assertEquals(StoreRole.PRIMARY, repository.role());
      assertEquals(List.of(), repository.catalog().damage());
      assertEquals(3, repository.catalog().list(SnapshotFilter.all()).size());
    }
  }

  /** The newest entry of the copy, which says this of other logs. */
  private void claim(String... heads) throws IOException {
    StringBuilder lines = new StringBuilder();
    List.of(heads).forEach(h -> lines.append("# heads: ").append(h).append('\n'));
    String forged =
        Forgery.after(newest("host-a").orElseThrow())
            .replace("# kind: .*", "# kind: gossip")
            .body(lines.toString())
            .signedBy(host.keys());
    copy.raw()
        .write(
            ObjectName.of("log/host-a/0000000005.entry"),
            forged.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void who_claims_that_a_log_is_full_does_not_fill_it() throws IOException {
    List<LogHead> made =
        List.of(
            LogHead.parse("admin/9999999999 " + "0".repeat(64)),
            LogHead.parse("retention/10000001 " + "0".repeat(64)));
    LogHead plausible = LogHead.parse("verify/10000000 " + "0".repeat(64));
    claim(made.get(0).toString(), made.get(1).toString(), plausible.toString());
    try (BackupRepository repository = administered(copy)) {
      PromotionPlan plan = repository.planPromotion(PromotionRequest.ofWhole());
      assertFalse(plan.isPossible());
      assertEquals(3, plan.lost().size(), plan.describe());
      assertTrue(plan.heads().contains(plausible), plan.describe());
      for (LogHead head : made) {
        String subject = "log/%s/%010d.entry".formatted(head.log(), head.sequence());
        var told = plan.lost().stream().filter(f -> f.subject().equals(subject)).findFirst();
        assertTrue(
            told.orElseThrow().found().contains("says log/host-a/0000000005.entry"),
            plan.describe());
        assertFalse(plan.heads().contains(head), plan.describe());
        PromotionPlan known = repository.planPromotion(PromotionRequest.ofWhole().expecting(head));
        assertTrue(known.heads().contains(head), known.describe());
      }
    }
    promote(copy, PromotionRequest.ofWhole().acceptingLoss("host-a was taken over"));
    assertTrue(newest("admin").orElseThrow().contains("# kind: promotion\n"));
    try (BackupRepository repository = administered(copy)) {
      WriterKeyFile other = WriterKeyFile.at(root.resolve("other.key")).named("host-b");
      other.open().close();
      repository.keys().admit(other.id());
    }
    assertTrue(newest("admin").orElseThrow().contains("# kind: principal\n"), "it goes on");
  }

  @Test
  void a_promotion_that_no_reader_could_read_is_not_begun() throws IOException {
    LogHead[] many =
        IntStream.range(0, 4000)
            .mapToObj(i -> LogHead.parse("host-a.s%d/1 %s".formatted(i, "0".repeat(64))))
            .toArray(LogHead[]::new);
    Set<ObjectName> before = copy.raw().names();
    assertRefused(
        CoreFailure.TOO_LARGE,
        () -> promote(copy, PromotionRequest.ofWhole().expecting(many).acceptingLoss("no reason")));
    assertEquals(before, copy.raw().names());
  }

  @Test
  void a_promotion_that_is_interrupted_is_ended_by_doing_it_again() throws IOException {
    SortedMap<ObjectName, byte[]> before = copy.snapshot();
    FaultPlan none = FaultPlan.none();
    promoteAnew(none.on(copy));
    int objects = copy.raw().names().size();
    for (long operation = 0; operation < none.operations(); operation++) {
      copy.reset(before);
      FaultPlan plan =
          FaultPlan.failing(operation, FaultPlan.When.values()[(int) (operation % 3)])
              .andEverAfter();
      assertThrows(BackupException.class, () -> promoteAnew(plan.on(copy)));
      try {
        promoteAnew(copy);
      } catch (BackupException.Refused e) {
        assertEquals(CoreFailure.PROMOTION_REFUSED, e.code(), plan + ": it was done already");
      }
      assertEquals(objects, copy.raw().names().size(), plan.toString());
      try (BackupRepository repository = host.repository(owner, copy)) {
        assertEquals(StoreRole.PRIMARY, repository.role());
        assertEquals(List.of(), repository.catalog().damage());
      }
    }
    host.backUp(content(3), "s3", copy).requireGood();
    assertHolds(copy, 1, 2, 3);
  }
}
