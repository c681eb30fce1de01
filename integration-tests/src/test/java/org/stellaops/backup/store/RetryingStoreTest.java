package org.stellaops.backup.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreTraits;

class RetryingStoreTest {
  private static final ObjectName NAME = ObjectName.of("a");
  private static final RetryPolicy POLICY =
      new RetryPolicy(4, Duration.ofMillis(100), Duration.ofMillis(250));

  private final Scripted scripted = new Scripted();
  private final List<Duration> slept = new ArrayList<>();
  private final ObjectStore store = new RetryingStore(scripted, POLICY, slept::add, new Random(1));

  private static BackupException.Sink failure(Reason reason) {
    return new BackupException.Sink(CoreFailure.SINK_FAILED, reason, "scripted");
  }

  private static ObjectBody body(String text) {
    return ObjectBody.of(text.getBytes(StandardCharsets.UTF_8));
  }

  private record OfItsOwn() implements StoreAbility {}

  /** A store that fails as it is told, before it does something or after. */
  private static final class Scripted implements ObjectStore {
    private final Map<ObjectName, byte[]> objects = new HashMap<>();
    private final Deque<BackupException.Sink> before = new ArrayDeque<>();
    private final Deque<BackupException.Sink> after = new ArrayDeque<>();
    private int calls;
    private boolean isClosed;

    private void next(Deque<BackupException.Sink> failures) throws BackupException.Sink {
      BackupException.Sink failure = failures.poll();
      if (failure != null) {
        throw failure;
      }
    }

    @Override
    public void put(ObjectName name, ObjectBody body) throws IOException {
      calls++;
      next(before);
      try (InputStream in = body.open()) {
        if (objects.putIfAbsent(name, in.readAllBytes()) != null) {
          throw failure(Reason.ALREADY_EXISTS);
        }
      }
      next(after);
    }

    @Override
    public void delete(ObjectName name) throws IOException {
      calls++;
      next(before);
      objects.remove(name);
      next(after);
    }

    @Override
    public InputStream open(ObjectName name, ByteRange range) throws IOException {
      calls++;
      next(before);
      byte[] bytes = objects.get(name);
      if (bytes == null) {
        throw failure(Reason.NOT_FOUND);
      }
      int from = (int) Math.min(bytes.length, range.offset());
      int to = (int) range.endIn(bytes.length);
      return new ByteArrayInputStream(bytes, from, Math.max(0, to - from));
    }

    @Override
    public ObjectPage list(String prefix, PageToken from) throws IOException {
      calls++;
      next(before);
      return new ObjectPage(List.of(), PageToken.END);
    }

    @Override
    public StoreTraits traits() {
      return new StoreTraits(true, true, 5, Map.of());
    }

    @Override
    public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
      StoreAbility.Capacity capacity = () -> OptionalLong.of(7);
      StoreAbility.Times times =
          name -> {
            calls++;
            next(before);
            return Optional.of(Instant.EPOCH);
          };
      StoreAbility.Mending mending =
          (name, body) -> {
            calls++;
            next(before);
          };
      return Stream.of(capacity, times, mending, new OfItsOwn(), new Locks())
          .filter(type::isInstance)
          .<A>map(type::cast)
          .findFirst();
    }

    private final class Locks implements StoreAbility.Locking {
      @Override
      public Optional<Instant> lockedUntil(ObjectName name) throws IOException {
        calls++;
        next(before);
        return Optional.empty();
      }

      @Override
      public void lock(ObjectName name, Instant until) throws IOException {
        calls++;
        next(before);
      }
    }

    @Override
    public void close() {
      isClosed = true;
    }
  }

  @Test
  void what_is_transient_is_tried_again_after_growing_delays() throws Exception {
    for (int i = 0; i < 3; i++) {
      scripted.before.add(failure(Reason.TRANSIENT));
    }
    store.put(NAME, body("x"));
    assertEquals(4, scripted.calls);
    assertEquals(3, slept.size());
    long[] full = {100, 200, 250};
    for (int i = 0; i < 3; i++) {
      long millis = slept.get(i).toMillis();
      assertTrue(millis > full[i] / 2 && millis <= full[i], "delay %d: %d".formatted(i, millis));
    }
  }

  @Test
  void after_the_last_attempt_the_failure_passes() {
    var last = failure(Reason.TRANSIENT);
    for (int i = 0; i < 3; i++) {
      scripted.before.add(failure(Reason.TRANSIENT));
    }
    scripted.before.add(last);
    assertSame(
        last, assertThrows(BackupException.Sink.class, () -> store.list("", PageToken.START)));
    assertEquals(4, scripted.calls);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "TRANSIENT")
  void nothing_else_is_ever_tried_again(Reason reason) {
    scripted.before.add(failure(reason));
    var e = assertThrows(BackupException.Sink.class, () -> store.put(NAME, body("x")));
    assertEquals(reason, e.reason());
    assertEquals(1, scripted.calls);
    assertEquals(List.of(), slept);
  }

  @Test
  void a_put_whose_reply_was_lost_is_recognised_by_its_bytes() throws Exception {
    scripted.after.add(failure(Reason.TRANSIENT));
    store.put(NAME, body("mine"));
    assertEquals("mine", new String(scripted.objects.get(NAME), StandardCharsets.UTF_8));
  }

  @Test
  void somebody_elses_object_is_not_taken_for_a_lost_reply() {
    for (String theirs : List.of("them", "mine and more", "min", "")) {
      scripted.objects.put(NAME, theirs.getBytes(StandardCharsets.UTF_8));
      scripted.before.add(failure(Reason.TRANSIENT));
      var e = assertThrows(BackupException.Sink.class, () -> store.put(NAME, body("mine")));
      assertEquals(Reason.ALREADY_EXISTS, e.reason(), theirs);
    }
  }

  @Test
  void an_equal_object_that_was_there_before_is_reported() {
    scripted.objects.put(NAME, "mine".getBytes(StandardCharsets.UTF_8));
    var e = assertThrows(BackupException.Sink.class, () -> store.put(NAME, body("mine")));
    assertEquals(Reason.ALREADY_EXISTS, e.reason());
    assertEquals(1, scripted.calls);
  }

  @Test
  void being_stopped_while_waiting_ends_it() {
    var stopped = new BackupException.Stopped(CoreFailure.CANCELLED, "stopped");
    scripted.before.add(failure(Reason.TRANSIENT));
    var impatient =
        new RetryingStore(
            scripted,
            POLICY,
            time -> {
              throw stopped;
            },
            new Random(1));
    assertSame(stopped, assertThrows(BackupException.Stopped.class, () -> impatient.delete(NAME)));
  }

  @Test
  void an_interrupted_wait_stops_and_keeps_the_flag() {
    scripted.before.add(failure(Reason.TRANSIENT));
    ObjectStore waiting = RetryingStore.wrapping(RetryPolicy.STANDARD).apply(scripted);
    Thread.currentThread().interrupt();
    assertThrows(BackupException.Stopped.class, () -> waiting.delete(NAME));
    assertTrue(Thread.interrupted());
  }

  @Test
  void capacity_passes_through_and_closing_closes() throws Exception {
    assertEquals(
        7, store.ability(StoreAbility.Capacity.class).orElseThrow().freeBytes().getAsLong());
    assertEquals(5, store.traits().maxObjectBytes());
    store.close();
    assertTrue(scripted.isClosed);
  }

  @Test
  void what_may_be_done_twice_is_tried_again_and_what_may_not_is_passed_on() throws Exception {
    scripted.before.add(failure(Reason.TRANSIENT));
    assertEquals(
        Optional.of(Instant.EPOCH),
        store.ability(StoreAbility.Times.class).orElseThrow().storedAt(NAME));
    StoreAbility.Locking locks = store.ability(StoreAbility.Locking.class).orElseThrow();
    scripted.before.add(failure(Reason.TRANSIENT));
    assertEquals(Optional.empty(), locks.lockedUntil(NAME));
    scripted.before.add(failure(Reason.TRANSIENT));
    locks.lock(NAME, Instant.EPOCH);
    assertEquals(6, scripted.calls);
    StoreAbility.Mending mending = store.ability(StoreAbility.Mending.class).orElseThrow();
    scripted.before.add(failure(Reason.TRANSIENT));
    assertThrows(BackupException.Sink.class, () -> mending.mend(NAME, body("x")));
    assertEquals(7, scripted.calls);
    assertEquals(Optional.empty(), store.ability(StoreAbility.Retrieval.class));
    assertTrue(store.ability(OfItsOwn.class).isPresent(), "by which a store knows its own kind");
  }

  @Test
  void a_forwarding_store_hands_on_no_ability_unless_told() {
    var plain = new ForwardingStore(scripted) {};
    assertEquals(Optional.empty(), plain.ability(StoreAbility.Capacity.class));
  }

  @Test
  void policies_that_never_try_or_shrink_are_refused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new RetryPolicy(0, Duration.ZERO, Duration.ofSeconds(1)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new RetryPolicy(1, Duration.ofSeconds(2), Duration.ofSeconds(1)));
    Random random = new Random(3);
    RetryPolicy policy = new RetryPolicy(100, Duration.ofMillis(1), Duration.ofDays(1));
    for (int failed = 1; failed < 100; failed++) {
      Duration delay = policy.delayAfter(failed, random);
      assertTrue(!delay.isNegative() && delay.compareTo(Duration.ofDays(1)) <= 0, "" + delay);
    }
  }
}
