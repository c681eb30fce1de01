package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.RepositoryKeys;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.CopyPlan;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.RepairRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.store.ForwardingStore;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.MemorySink;

/** A copy holds what was to be copied, and lists nothing that it does not hold whole. */
class CopyIT {
  private static final int SNAPSHOTS = 3;

  @TempDir Path root;
  private final MemorySink primary = new MemorySink();
  private final MemorySink copy = new MemorySink();
  private final List<BytesSource> sources = new ArrayList<>();
  private AgeIdentity identity;
  private Host host;
  private WriterId pinned;

  @BeforeEach
  void threeSnapshots() throws IOException {
    identity = AgeIdentity.generate();
    host = new Host(root.resolve("host"), identity.recipient(), primary).withKeys();
    pinned = host.keys().id();
    byte[] shared = Fixture.random(9, 80_000);
    for (int i = 1; i <= SNAPSHOTS; i++) {
      BytesSource source = BytesSource.of("shared", shared).with("own", Fixture.random(i, 40_000));
      sources.add(source);
      host.backUp(source, "s" + i);
    }
  }

  @AfterEach
  void closed() {
    identity.close();
  }

  private CopyReport copy(CopyRequest request) throws IOException {
    try (BackupRepository repository = host.repository(identity)) {
      return repository.copy(request);
    }
  }

  /** With threads of its own, where the other has none but the caller's. */
  private CopyReport copyAtOnce(CopyRequest request) throws IOException {
    try (BackupRepository repository =
        BackupRepository.at(primary).trust(Trust.owner(host.keys().id())).open()) {
      return repository.copy(request);
    }
  }

  /** Copies something somewhere. */
  @FunctionalInterface
  private interface Copying {
    CopyReport copy(CopyRequest request) throws IOException;
  }

  private BackupRepository opened() throws IOException {
    return opened(identity);
  }

  /** Pins the key with which the host began, so that it follows whatever keys came later. */
  private BackupRepository opened(AgeIdentity who) throws IOException {
    return BackupRepository.at(copy)
        .identity(who)
        .trust(Trust.owner(pinned))
        .executor(Runnable::run)
        .open();
  }

  private static List<String> names(BackupRepository repository) throws BackupException {
    return repository.catalog().list(SnapshotFilter.all()).stream()
        .map(s -> s.name().value())
        .sorted()
        .toList();
  }

  /** Everything that a copy lists is there whole, and nothing of it is damaged. */
  private List<String> assertSound() throws IOException {
    try (BackupRepository repository = opened()) {
      assertEquals(List.of(), repository.catalog().damage());
      for (SnapshotSummary snapshot : repository.catalog().list(SnapshotFilter.all())) {
        int index = snapshot.name().value().charAt(1) - '1';
        Host.assertComplete(repository, snapshot.id(), sources.get(index), identity);
      }
      return names(repository);
    }
  }

  @Test
  void all_snapshots_are_copied_and_the_second_time_nothing_is_sent() throws IOException {
    List<Progress> told = new ArrayList<>();
    CopyPlan plan;
    CopyReport report;
    try (BackupRepository repository =
        BackupRepository.at(primary)
            .trust(Trust.owner(host.keys().id()))
            .listener(
                new BackupListener() {
                  @Override
                  public void progressed(Progress progress) {
                    told.add(progress);
                  }
                })
            .open()) {
      plan = repository.planCopy(CopyRequest.to(copy));
      assertEquals(Set.of(), copy.raw().names(), "a plan changes nothing");
      report = repository.copy(CopyRequest.to(copy).labelled("site-b"));
    }
    assertTrue(report.requireComplete().isComplete());
    assertEquals(SNAPSHOTS, report.snapshots().size());
    assertEquals(plan.objectsToSend(), report.sent());
    assertEquals(plan.bytesToSend(), report.sentBytes());
    assertEquals(report.sent(), report.compared(), "each was read back");
    assertEquals("site-b", report.label());
    Progress last = told.get(told.size() - 1);
    assertEquals(report.sentBytes(), last.bytes());
    assertEquals(100, last.percent().orElseThrow());
    assertEquals(List.of("s1", "s2", "s3"), assertSound());
    try (BackupRepository repository = opened()) {
      assertEquals(StoreRole.COPY, repository.role());
      assertEquals("site-b", repository.label());
      assertTrue(repository.check(Verification.full(identity)).isIntact());
      assertEquals(List.of(), repository.catalog().runs());
      assertEquals(
          List.of("host-a/1", "host-a/3", "host-a/5"),
          repository.catalog().notHeld().stream().map(Object::toString).toList(),
          "runs that ended well are of no use elsewhere");
    }
    CopyReport again = copy(CopyRequest.to(copy));
    assertEquals(0, again.sent());
    assertEquals(plan.objectsToSend(), again.there());
  }

  @Test
  void one_snapshot_is_copied_with_what_it_needs_and_no_more() throws IOException {
    copy(CopyRequest.to(copy).only(SnapshotRef.named("s2")));
    assertEquals(List.of("s2"), assertSound());
    Set<ObjectName> own = new HashSet<>(copy.raw().names());
    own.removeAll(primary.raw().names());
    assertEquals(Set.of(), own, "nothing is there that the primary does not have");
    try (BackupRepository repository = opened()) {
      assertTrue(repository.check(Verification.full(identity)).isIntact());
      assertEquals(0, repository.check(Verification.stored()).unnamed().objects());
    }
    copy(CopyRequest.to(copy).only(SnapshotRef.named("s3")));
    assertEquals(List.of("s2", "s3"), assertSound());
  }

  @Test
  void whatever_fails_the_copy_lists_only_what_it_holds_and_the_next_one_sends_the_rest()
      throws IOException {
    assertEquals(Set.of(0, 1, 2, 3), listedWhenItFails(3, this::copy), "between any two of them");
  }

  @Test
  void the_same_where_several_objects_go_at_a_time() throws IOException {
    listedWhenItFails(7, this::copyAtOnce);
  }

  @Test
  @Tag("soak")
  void the_same_at_every_operation() throws IOException {
    assertEquals(Set.of(0, 1, 2, 3), listedWhenItFails(1, this::copy));
    copy.reset(new TreeMap<>());
    listedWhenItFails(1, this::copyAtOnce);
  }

  /** Lets it fail at every so-manieth operation; how many snapshots were listed then, all whole. */
  private Set<Integer> listedWhenItFails(int step, Copying copying) throws IOException {
    FaultPlan none = FaultPlan.none();
    long all = copying.copy(CopyRequest.to(none.on(copy))).sent();
    SortedMap<ObjectName, byte[]> whole = copy.snapshot();
    int objects = whole.size();
    Set<Integer> listed = new HashSet<>();
    long first = (none.operations() - 1) % step; // so that the last one is among them
    for (long operation = first; operation < none.operations(); operation += step) {
      for (FaultPlan.When when : FaultPlan.When.values()) {
        copy.reset(new TreeMap<>());
        FaultPlan plan = FaultPlan.failing(operation, when).andEverAfter();
        assertThrows(
            BackupException.class,
            () -> copying.copy(CopyRequest.to(plan.on(copy))),
            plan.toString());
        copy.assertNothingOpen();
        int before = copy.raw().names().size();
        if (copy.raw().names().contains(ObjectName.of("repository.json"))) {
          listed.add(listedWhole());
        }
        CopyReport second = copying.copy(CopyRequest.to(copy));
        assertTrue(second.isComplete(), plan.toString());
        long already = Math.max(0, before - (objects - all));
        assertEquals(all - already, second.sent(), "the rest: " + plan);
        assertEquals(whole.keySet(), copy.raw().names());
      }
    }
    return listed;
  }

  /** Counts puts that go on, and looks at what is there when an entry comes. */
  private static final class Watch {
    private final AtomicInteger now = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private final CountDownLatch four = new CountDownLatch(4);
    private final Set<String> read = ConcurrentHashMap.newKeySet();
    private final List<String> unread = new CopyOnWriteArrayList<>();

    BackupSink on(MemorySink sink) {
      return sink.with(inner -> new Watched(inner));
    }

    private final class Watched extends ForwardingStore {
      Watched(ObjectStore inner) {
        super(inner);
      }

      @Override
      public void put(ObjectName name, ObjectBody body) throws IOException {
        String text = name.value();
        if (text.startsWith("log/host-a/")) {
          for (String line : lines(body)) {
            if (line.matches("[0-9a-f]{64}  w/.*") && !read.contains(line.substring(66))) {
              unread.add(line);
            }
          }
        }
        most.accumulateAndGet(now.incrementAndGet(), Math::max);
        if (text.startsWith("w/")) {
          awaitOthers();
        }
        super.put(name, body);
        now.decrementAndGet();
      }

      private void awaitOthers() {
        four.countDown();
        try {
          // None of the first four goes on before all have come.
          assertTrue(four.await(20, TimeUnit.SECONDS), "four at a time");
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }

      private List<String> lines(ObjectBody body) throws IOException {
        try (InputStream in = body.open()) {
          return new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
        }
      }

      @Override
      public InputStream open(ObjectName name, ByteRange range) throws IOException {
        InputStream in = super.open(name, range);
        read.add(name.value());
        return in;
      }
    }
  }

  @Test
  void four_objects_go_at_a_time_and_an_entry_when_all_that_it_names_was_read_there()
      throws IOException {
    Watch watch = new Watch();
    CopyReport report = copyAtOnce(CopyRequest.to(watch.on(copy))).requireComplete();
    assertEquals(4, watch.most.get());
    assertEquals(List.of(), watch.unread);
    assertEquals(report.sent(), report.compared());
    assertEquals(0, report.stated(), "this store states nothing");
    assertEquals(List.of("s1", "s2", "s3"), assertSound());
    assertThrows(IllegalArgumentException.class, () -> CopyRequest.to(copy).atOnce(0));
    assertThrows(IllegalArgumentException.class, () -> CopyRequest.to(copy).atOnce(9));
  }

  /** A store that states digests, of which one is not that of what it keeps. */
  private static BackupSink stating(MemorySink sink, boolean isRight) {
    return sink.with(
        inner -> {
          StoreAbility.Digests digests =
              name ->
                  Optional.of(
                      Digest.ofContent(isRight ? sink.raw().read(name) : new byte[] {1, 2}));
          return new ForwardingStore(inner) {
            @Override
            public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
              return Optional.of(digests).filter(type::isInstance).map(type::cast);
            }
          };
        });
  }

  @Test
  void what_a_store_states_stands_in_for_reading_unless_all_is_to_be_read() throws IOException {
    CopyReport stated = copyAtOnce(CopyRequest.to(stating(copy, true))).requireComplete();
    assertEquals(stated.sent(), stated.stated());
    assertEquals(stated.sent(), stated.compared());
    assertSound();
    copy.reset(new TreeMap<>());
    CopyReport read = copyAtOnce(CopyRequest.to(stating(copy, true)).comparingEverything());
    assertEquals(0, read.stated());
    assertEquals(read.sent(), read.compared());
    copy.reset(new TreeMap<>());
    CopyReport other = copyAtOnce(CopyRequest.to(stating(copy, false))).requireComplete();
    assertEquals(0, other.stated(), "what it says is not what was given, so it is read");
    assertEquals(other.sent(), other.compared());
  }

  /** How many snapshots it lists, all of which are there whole. */
  private int listedWhole() throws IOException {
    if (!copy.raw().names().contains(ObjectName.of("repository.json"))) {
      return 0;
    }
    try (BackupRepository repository = opened()) {
      assertEquals(List.of(), repository.catalog().damage());
      var reports = repository.verifyAll(SnapshotFilter.all(), Verification.stored());
      reports.forEach(r -> assertTrue(r.isIntact(), r.toString()));
      return reports.size();
    }
  }

  @Test
  void what_is_in_the_way_is_a_conflict_and_is_not_replaced() throws IOException {
    copy(CopyRequest.to(copy));
    SortedMap<ObjectName, byte[]> whole = copy.snapshot();
    for (String kind : List.of("w/host-a/packs", "w/host-a/manifests", "log/host-a", "keys/")) {
      copy.reset(whole);
      ObjectName victim =
          whole.keySet().stream().filter(n -> n.value().startsWith(kind)).findFirst().orElseThrow();
      byte[] other = whole.getOrDefault(victim, new byte[0]).clone();
      other[other.length / 2] ^= 1;
      copy.raw().write(victim, other);
      var same =
          assertThrows(
              BackupException.Refused.class,
              () -> copy(CopyRequest.to(copy).comparingEverything()));
      assertEquals(CoreFailure.COPY_CONFLICT, same.code());
      assertTrue(same.getMessage().contains(victim.value()), same.getMessage());
      copy.raw().write(victim, new byte[] {1});
      var shorter = assertThrows(BackupException.Refused.class, () -> copy(CopyRequest.to(copy)));
      assertEquals(CoreFailure.COPY_CONFLICT, shorter.code());
      assertArrayEquals(new byte[] {1}, copy.raw().read(victim), "nothing is replaced");
      try (BackupRepository repository = host.repository(identity)) {
        assertEquals(List.of(victim), repository.planCopy(CopyRequest.to(copy)).conflicts());
      }
    }
  }

  @Test
  void what_is_damaged_here_stays_here_with_what_builds_on_it() throws IOException {
    ObjectName victim =
        primary.raw().names().stream()
            .filter(n -> n.value().contains("/manifests/"))
            .findFirst()
            .orElseThrow();
    byte[] bytes = primary.raw().read(victim);
    bytes[10] ^= 1;
    primary.raw().write(victim, bytes);
    CopyReport report = copy(CopyRequest.to(copy));
    assertFalse(report.isComplete());
    assertEquals(1, report.incomplete().size());
    assertEquals(SNAPSHOTS - 1, report.snapshots().size());
    assertEquals(victim.value(), report.findings().get(0).subject());
    assertFalse(copy.raw().names().contains(victim));
    assertEquals(SNAPSHOTS - 1, assertSound().size());
    assertThrows(BackupException.Corrupt.class, report::requireComplete);
  }

  @Test
  void primaries_and_other_repositories_are_no_targets_and_a_copy_takes_no_commits()
      throws IOException {
    var itself = assertThrows(BackupException.Refused.class, () -> copy(CopyRequest.to(primary)));
    assertEquals(CoreFailure.COPY_CONFLICT, itself.code());
    MemorySink others = new MemorySink();
    new Host(root.resolve("other"), identity.recipient(), others)
        .withKeys()
        .backUp(sources.get(0), "x");
    var other = assertThrows(BackupException.Refused.class, () -> copy(CopyRequest.to(others)));
    assertEquals(CoreFailure.WRONG_REPOSITORY, other.code());
    copy(CopyRequest.to(copy));
    Map<ObjectName, byte[]> before = copy.snapshot();
    var refused =
        assertThrows(BackupException.Refused.class, () -> host.backUp(sources.get(0), "s4", copy));
    assertEquals(CoreFailure.NOT_PRIMARY, refused.code());
    assertEquals(before.keySet(), copy.raw().names());
  }

  @Test
  void a_copy_repairs_its_primary() throws IOException {
    copy(CopyRequest.to(copy));
    ObjectName victim =
        primary.raw().names().stream()
            .filter(n -> n.value().contains("/packs/"))
            .findFirst()
            .orElseThrow();
    byte[] sound = primary.raw().read(victim);
    primary.raw().remove(victim);
    try (BackupEngine engine = host.with(sources.get(0), primary).open()) {
      var plan = engine.planRepair(RepairRequest.of(Verification.stored()).from(copy));
      engine.repair(plan, Confirmation.of(plan.digest()));
    }
    assertArrayEquals(sound, primary.raw().read(victim));
  }

  /** A store that takes objects from the primary without their passing through here. */
  private BackupSink copyingByItself() {
    return copy.with(
        inner -> {
          StoreAbility.ServerCopy byItself =
              (from, name) -> {
                inner.put(name, ObjectBody.of(primary.raw().read(name)));
                return true;
              };
          return new ForwardingStore(inner) {
            @Override
            public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
              return Optional.of(byItself).filter(type::isInstance).map(type::cast);
            }
          };
        });
  }

  @Test
  void a_store_that_copies_by_itself_is_compared_all_the_same() throws IOException {
    CopyReport report = copy(CopyRequest.to(copyingByItself())).requireComplete();
    assertEquals(report.sent(), report.byStore());
    assertEquals(report.sent(), report.compared());
    assertEquals(List.of("s1", "s2", "s3"), assertSound());
    copy.reset(new TreeMap<>());
    ObjectName victim = aPack();
    byte[] damaged = primary.raw().read(victim);
    damaged[7] ^= 1;
    primary.raw().write(victim, damaged);
    CopyReport second = copy(CopyRequest.to(copyingByItself()));
    assertFalse(second.isComplete());
    assertEquals(victim.value(), second.findings().get(0).subject());
    assertFalse(copy.raw().names().contains(victim), "it is not left under its name");
    assertSound();
  }

  private ObjectName aPack() throws IOException {
    return primary.raw().names().stream()
        .filter(n -> n.value().contains("/packs/"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void what_an_interrupted_copy_left_is_compared_before_anything_names_it() throws IOException {
    ObjectName left = aPack();
    copy(CopyRequest.to(copy));
    for (ObjectName name : copy.raw().names()) {
      if (name.value().startsWith("log/host-a/")) {
        copy.raw().remove(name);
      }
    }
    byte[] other = copy.raw().read(left);
    other[7] ^= 1;
    copy.raw().write(left, other);
    var conflict = assertThrows(BackupException.Refused.class, () -> copy(CopyRequest.to(copy)));
    assertEquals(CoreFailure.COPY_CONFLICT, conflict.code());
    assertSound();
  }

  /** Takes so many bytes, and no more. */
  private static BackupSink with(MemorySink sink, long roomBytes) {
    AtomicLong room = new AtomicLong(roomBytes);
    return sink.with(
        inner ->
            new ForwardingStore(inner) {
              @Override
              public void put(ObjectName name, ObjectBody body) throws IOException {
                if (room.addAndGet(-body.lengthBytes()) < 0) {
                  throw new BackupException.Sink(
                      CoreFailure.SINK_FULL,
                      BackupException.Sink.Reason.NO_SPACE,
                      "put %s: no space is left".formatted(name));
                }
                super.put(name, body);
              }
            });
  }

  @Test
  void a_target_that_is_full_tells_how_much_more_it_takes_and_gets_the_rest_later()
      throws IOException {
    long all;
    try (BackupRepository repository = host.repository(identity)) {
      all = repository.planCopy(CopyRequest.to(copy)).bytesToSend();
    }
    for (long room : new long[] {all / 2, all - 10}) {
      copy.reset(new TreeMap<>());
      var full =
          assertThrows(BackupException.Sink.class, () -> copy(CopyRequest.to(with(copy, room))));
      assertEquals(CoreFailure.SINK_FULL, full.code());
      assertTrue(listedWhole() < SNAPSHOTS);
      CopyReport rest = copy(CopyRequest.to(copy)).requireComplete();
      assertTrue(
          full.getMessage().contains("%d of %d bytes".formatted(rest.sentBytes(), all)),
          full.getMessage() + ", the rest was " + rest.sentBytes());
    }
    copy.reset(new TreeMap<>());
    var full =
        assertThrows(
            BackupException.Sink.class, () -> copyAtOnce(CopyRequest.to(with(copy, all / 2))));
    assertEquals(CoreFailure.SINK_FULL, full.code());
    listedWhole();
    copyAtOnce(CopyRequest.to(copy)).requireComplete();
    assertEquals(List.of("s1", "s2", "s3"), assertSound());
  }

  @Test
  void what_it_takes_to_read_a_copy_is_there_whenever_keys_change() throws IOException {
    try (AgeIdentity escrow = AgeIdentity.generate()) {
      copy(CopyRequest.to(copy)).requireComplete();
      administer(keys -> keys.rewrap(keys.epochs().get(0).id(), identity, escrow.recipient()));
      administer(RepositoryKeys::rotateWriter);
      backUp(4);
      AtomicBoolean isFirst = new AtomicBoolean(true);
      BackupSink during =
          HookedStore.on(
              copy,
              operation -> {
                if (operation.contains("/packs/") && isFirst.getAndSet(false)) {
                  administer(keys -> keys.newEpoch(identity.recipient(), escrow.recipient()));
                  administer(RepositoryKeys::rotateWriter);
                  backUp(5);
                }
              });
      copy(CopyRequest.to(during)).requireComplete();
      assertFalse(isFirst.get());
      assertEquals(List.of("s1", "s2", "s3", "s4"), assertSound());
      copy(CopyRequest.to(copy)).requireComplete();
      assertEquals(List.of("s1", "s2", "s3", "s4", "s5"), assertSound());
      try (BackupRepository repository = opened(escrow)) {
        Host.assertComplete(repository, SnapshotRef.named("s1"), sources.get(0), escrow);
      }
    }
  }

  private void backUp(int number) throws IOException {
    BytesSource source = BytesSource.of("own", Fixture.random(number, 40_000));
    sources.add(source);
    host.backUp(source, "s" + number);
  }

  /** Changes keys. */
  @FunctionalInterface
  private interface Deed {
    void on(RepositoryKeys keys) throws BackupException;
  }

  private void administer(Deed deed) throws IOException {
    try (BackupEngine engine = host.with(sources.get(0), primary).open()) {
      deed.on(engine.keys());
    }
  }

  @Test
  void another_entry_of_the_same_size_is_a_conflict_though_nothing_else_is_compared()
      throws IOException {
    copy(CopyRequest.to(copy)).requireComplete();
    SortedMap<ObjectName, byte[]> whole = copy.snapshot();
    ObjectName victim = newestOf("log/host-a/");
    for (Copying copying : List.<Copying>of(this::copy, this::copyAtOnce)) {
      for (boolean isMoreHere : List.of(false, true)) {
        copy.reset(whole);
        byte[] other = copy.raw().read(victim);
        other[other.length - 10] ^= 1;
        copy.raw().write(victim, other);
        if (isMoreHere) {
          backUp(sources.size() + 10);
        }
        var conflict =
            assertThrows(BackupException.Refused.class, () -> copying.copy(CopyRequest.to(copy)));
        assertEquals(CoreFailure.COPY_CONFLICT, conflict.code());
        assertTrue(conflict.getMessage().contains(victim.value()), conflict.getMessage());
        assertArrayEquals(other, copy.raw().read(victim));
        assertEquals(whole.keySet(), copy.raw().names(), "nothing was sent");
      }
    }
  }

  @Test
  void another_log_is_a_conflict_also_where_its_entry_is_not_what_is_copied() throws IOException {
    copy(CopyRequest.to(copy)).requireComplete();
    ObjectName victim = newestOf("log/host-a/");
    copy.raw().write(victim, "another log".getBytes(StandardCharsets.US_ASCII));
    backUp(11);
    Set<ObjectName> before = new TreeSet<>(copy.raw().names());
    var conflict =
        assertThrows(
            BackupException.Refused.class,
            () -> copy(CopyRequest.to(copy).only(SnapshotRef.named("s11"))));
    assertEquals(CoreFailure.COPY_CONFLICT, conflict.code());
    assertEquals(before, copy.raw().names());
  }

  private ObjectName newestOf(String log) throws IOException {
    return copy.raw().names().stream()
        .filter(n -> n.value().startsWith(log))
        .reduce((a, b) -> b)
        .orElseThrow();
  }

  @Test
  void of_a_target_that_has_it_all_each_log_is_read_at_its_end() throws IOException {
    copy(CopyRequest.to(copy)).requireComplete();
    List<String> read = new ArrayList<>();
    BackupSink watched =
        HookedStore.on(
            copy,
            operation -> {
              if (operation.startsWith("open log/")) {
                read.add(operation.substring("open ".length()));
              }
            });
    assertEquals(0, copy(CopyRequest.to(watched)).requireComplete().sent());
    assertEquals(
        List.of(newestOf("log/admin/").value(), newestOf("log/host-a/").value()),
        read.stream().sorted().toList());
  }

  @Test
  void a_list_of_what_is_doomed_is_compared_if_the_entry_that_names_it_did_not_come()
      throws IOException {
    Pruning pruning = new Pruning(host).withKeys();
    pruning.prune(1);
    try (BackupRepository repository = pruned(primary, pruning)) {
      repository.copy(CopyRequest.to(copy)).requireComplete();
      ObjectName list =
          copy.raw().names().stream()
              .filter(n -> n.value().startsWith("w/retention/lists/"))
              .findFirst()
              .orElseThrow();
      byte[] other = copy.raw().read(list);
      other[1] ^= 1;
      copy.raw().write(list, other);
      repository.copy(CopyRequest.to(copy)).requireComplete();
      for (ObjectName name : copy.raw().names()) {
        if (name.value().startsWith("log/retention/")) {
          copy.raw().remove(name);
        }
      }
      var conflict =
          assertThrows(BackupException.Refused.class, () -> repository.copy(CopyRequest.to(copy)));
      assertTrue(conflict.getMessage().contains(list.value()), conflict.getMessage());
    }
  }

  private BackupRepository pruned(BackupSink sink, Pruning pruning) throws IOException {
    return BackupRepository.at(sink)
        .identity(identity)
        .trust(pruning.trust())
        .executor(Runnable::run)
        .open();
  }

  /** Of two sources one is captured by increments. */
  private void backUpTwo(Pruning pruning, BackupRequest request, String name) throws IOException {
    ScriptedSource increments =
        ScriptedSource.capturing(
                session -> {
                  if (session.requested() == CaptureKind.INCREMENTAL) {
                    session.dependsOn(session.parent().orElseThrow());
                  }
                  byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
                  session.artifact(ArtifactName.of("a"), Form.CONTENT, out -> out.write(bytes));
                  session.captured(InventoryItem.of("a", 1, bytes.length));
                })
            .incremental();
    BackupPlan plan =
        pruning
            .host
            .plan(pruning.host.sink)
            .source("a", increments)
            .source("b", BytesSource.of("b", Fixture.random(20, 20_000)))
            .janitor(pruning.keys())
            .build();
    try (BackupEngine engine = pruning.host.with(plan).open()) {
      engine.backup(request.named(name)).requireGood();
    }
  }

  @Test
  void what_is_recalled_is_listed_by_a_copy_when_it_holds_it_whole() throws IOException {
    MemorySink from = new MemorySink();
    Host two = new Host(root.resolve("two"), identity.recipient(), from).withKeys();
    Pruning pruning = new Pruning(two).withKeys();
    // What it holds of b lies in a pack of its own, so that a copy can lack it.
    backUpTwo(pruning, BackupRequest.full().only("b"), "s0");
    Set<ObjectName> ofB = new HashSet<>(from.raw().names());
    ofB.removeIf(n -> !n.value().contains("/packs/"));
    backUpTwo(pruning, BackupRequest.full(), "s1");
    backUpTwo(pruning, BackupRequest.incremental().only("a"), "s2");
    backUpTwo(pruning, BackupRequest.full().only("a"), "s3");
    backUpTwo(pruning, BackupRequest.full(), "s4");
    SnapshotId first;
    try (BackupRepository repository = pruned(from, pruning)) {
      first = repository.catalog().info(SnapshotRef.named("s1")).id();
    }
    RetentionPolicy policy =
        (captures, now) ->
            new RetentionDecision(
                captures.stream()
                    .filter(c -> !c.snapshot().equals(first) || c.source().value().equals("a"))
                    .collect(Collectors.toMap(CaptureHeader::snapshot, c -> List.of("kept"))));
    try (Janitor janitor =
            pruning
                .with(9)
                .retain(RetentionRules.of(policy).minimumAge(Duration.ZERO))
                .grace(Duration.ofDays(1))
                .open();
        BackupRepository repository = pruned(from, pruning)) {
      Pruning.prune(janitor);
      repository.copy(CopyRequest.to(copy).only(SnapshotRef.named("s2"))).requireComplete();
      assertEquals(List.of("s1/a", "s2/a"), listedWhole(pruning));
      janitor.recall(first, "it is needed", "ann");
      SortedMap<ObjectName, byte[]> before = copy.snapshot();
      CopyRequest other = CopyRequest.to(copy).only(SnapshotRef.named("s3"));
      CopyPlan plan = repository.planCopy(other);
      CopyReport report = repository.copy(other).requireComplete();
      assertEquals(plan.objectsToSend(), report.sent());
      assertEquals(List.of("s1/a", "s1/b", "s2/a", "s3/a"), listedWhole(pruning));
      SortedMap<ObjectName, byte[]> whole = from.snapshot();
      for (ObjectName name : ofB) {
        assertFalse(before.containsKey(name));
        from.raw().remove(name);
      }
      copy.reset(before);
      assertFalse(repository.copy(other).isComplete());
      assertEquals(
          List.of("s1/a", "s2/a", "s3/a"),
          listedWhole(pruning),
          "what is not whole is not recalled there");
      from.reset(whole);
      copy.reset(before);
      FaultPlan none = FaultPlan.none();
      repository.copy(CopyRequest.to(none.on(copy)).only(SnapshotRef.named("s3")));
      for (long operation = 0; operation < none.operations(); operation++) {
        copy.reset(before);
        FaultPlan fault = FaultPlan.failing(operation, FaultPlan.When.BEFORE).andEverAfter();
        assertThrows(
            BackupException.class,
            () -> repository.copy(CopyRequest.to(fault.on(copy)).only(SnapshotRef.named("s3"))));
        listedWhole(pruning);
      }
    }
  }

  private List<String> listedWhole(Pruning pruning) throws IOException {
    List<String> names = new ArrayList<>();
    try (BackupRepository there = pruned(copy, pruning)) {
      assertEquals(List.of(), there.catalog().damage());
      for (SnapshotSummary snapshot : there.catalog().list(SnapshotFilter.all())) {
        snapshot.captures().forEach(c -> names.add(snapshot.name() + "/" + c.source()));
      }
      there
          .verifyAll(SnapshotFilter.all(), Verification.stored())
          .forEach(r -> assertTrue(r.isIntact(), r.toString()));
    }
    return names.stream().sorted().toList();
  }
}
