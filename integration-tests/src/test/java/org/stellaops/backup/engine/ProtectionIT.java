package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.store.ForwardingStore;
import org.stellaops.backup.testkit.MemorySink;

/** What a store protects is protected for as long as it is needed, and no pass removes it. */
class ProtectionIT {
  private static final Duration NEW = Duration.ofDays(1);

  @TempDir Path root;
  private final MemorySink objects = new MemorySink();
  private final Map<String, Instant> protectedUntil = new ConcurrentHashMap<>();
  private final BackupSink sink = objects.with(Protecting::new);
  private AgeIdentity owner;
  private Host host;
  private Pruning pruning;

  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    pruning = new Pruning(host).withKeys();
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    objects.assertNothingOpen();
  }

  @Test
  void what_is_needed_is_protected_further_and_what_is_let_go_of_is_not() throws Exception {
    backUp(1);
    backUp(2);
    Set<String> ofBoth = packs();
    Instant start = Instant.now();

    PruneReport report = pruning.prune(1);

    assertTrue(report.isOk(), report.toString());
    Instant soon = start.plus(Duration.ofDays(27));
    Set<String> extended = new TreeSet<>();
    protectedUntil.forEach(
        (name, until) -> {
          if (until.isAfter(soon)) {
            extended.add(name);
          }
        });
    assertTrue(extended.contains("repository.json"), extended.toString());
    assertTrue(extended.contains("log/host-a/0000000001.entry"), extended.toString());
    assertTrue(extended.stream().anyMatch(n -> n.startsWith("keys/")), extended.toString());
    assertTrue(extended.stream().anyMatch(n -> n.contains("/manifests/")), extended.toString());
    Set<String> left = new TreeSet<>(ofBoth);
    left.removeAll(extended);
    assertFalse(left.isEmpty(), "what only the first needs");
    assertTrue(left.size() < ofBoth.size(), "what the second needs");

    Map<String, Instant> before = Map.copyOf(protectedUntil);
    pruning.prune(1);
    extended.forEach(name -> assertEquals(before.get(name), protectedUntil.get(name), name));
  }

  @Test
  void what_is_still_protected_is_reported_and_goes_when_it_is_free() throws Exception {
    backUp(1);
    backUp(2);
    PruneReport doomed = pruning.prune(1);
    backUp(3);

    PruneReport report = pruning.prune(2);

    assertEquals(0, report.deletedObjects());
    assertEquals(doomed.doomedObjects(), report.problems().size(), report.toString());
    assertTrue(
        report.problems().stream().allMatch(f -> f.code() == CoreFailure.OBJECT_LOCKED),
        report.toString());

    Instant now = Instant.now();
    protectedUntil.replaceAll(
        (name, until) -> until.isBefore(now.plus(Duration.ofDays(2))) ? now : until);
    PruneReport later = pruning.prune(2);
    assertTrue(later.isOk(), later.toString());
    assertEquals(doomed.doomedObjects(), later.deletedObjects());
  }

  private Set<String> packs() {
    Set<String> packs = new TreeSet<>();
    objects.snapshot().keySet().stream()
        .map(ObjectName::value)
        .filter(n -> n.startsWith("w/host-a/packs/"))
        .forEach(packs::add);
    return packs;
  }

  private void backUp(long seed) throws IOException {
    var plan =
        host.plan(sink).source(Host.SOURCE, PruneIT.content(seed)).janitor(pruning.keys()).build();
    try (BackupEngine engine = host.with(plan).open()) {
      engine.backup(BackupRequest.full().named("n" + seed)).requireGood();
    }
  }

  /** Protects what is stored for a day, but for signs of life. */
  private final class Protecting extends ForwardingStore implements StoreAbility.Locking {
    Protecting(ObjectStore inner) {
      super(
          inner,
          Set.of(StoreAbility.Times.class, StoreAbility.Strays.class, StoreAbility.Capacity.class));
    }

    @Override
    public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
      return type.isInstance(this) ? Optional.of(type.cast(this)) : super.ability(type);
    }

    @Override
    public void put(ObjectName name, ObjectBody body) throws IOException {
      super.put(name, body);
      if (!name.value().startsWith("beat/")) {
        protectedUntil.put(name.value(), Instant.now().plus(NEW));
      }
    }

    @Override
    public void delete(ObjectName name) throws IOException {
      Instant until = protectedUntil.get(name.value());
      if (until != null && until.isAfter(Instant.now())) {
        throw new BackupException.Sink(
            CoreFailure.OBJECT_LOCKED, Reason.LOCKED, "protected until " + until);
      }
      super.delete(name);
    }

    @Override
    public Optional<Instant> lockedUntil(ObjectName name) throws IOException {
      requireThere(name);
      return Optional.ofNullable(protectedUntil.get(name.value()));
    }

    @Override
    public void lock(ObjectName name, Instant until) throws IOException {
      requireThere(name);
      protectedUntil.merge(name.value(), until, (a, b) -> a.isAfter(b) ? a : b);
    }

    private void requireThere(ObjectName name) throws BackupException {
      if (!objects.snapshot().containsKey(name)) {
        throw new BackupException.Sink(CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, "gone");
      }
    }
  }
}
