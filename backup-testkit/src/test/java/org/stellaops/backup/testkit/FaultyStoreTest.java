package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.FaultPlan.When;

class FaultyStoreTest {
  private static final ObjectName A = ObjectName.of("a");
  private static final byte[] BYTES = SeededBytes.of(1, 1000);

  private final MemorySink sink = new MemorySink();

  @Test
  void without_faults_everything_passes_and_is_counted() throws IOException {
    var plan = FaultPlan.none();

    run(plan);

    assertEquals(List.of("put a", "open a", "list a", "delete a"), plan.log());
    assertEquals(4, plan.operations());
    assertFalse(plan.hasFired());
    sink.assertNothingOpen();
  }

  @Test
  void each_operation_fails_once_and_the_rest_does_not() {
    for (When when : When.values()) {
      for (long n = 0; n < 4; n++) {
        var plan = FaultPlan.failing(n, when);

        var e = assertThrows(BackupException.Sink.class, () -> run(plan), plan.toString());

        assertEquals(Reason.TRANSIENT, e.reason());
        assertTrue(e.getMessage().contains(when + ": operation " + n), e.getMessage());
        assertTrue(plan.hasFired());
        assertEquals(n + 1, plan.operations());
        sink.assertNothingOpen();
        sink.reset(new MemorySink().snapshot());
      }
    }
  }

  @Test
  void a_run_with_fewer_operations_does_not_fire() throws IOException {
    var plan = FaultPlan.failing(4, When.BEFORE);

    run(plan);

    assertFalse(plan.hasFired());
  }

  @Test
  void a_put_that_fails_before_or_torn_leaves_nothing() throws IOException {
    for (When when : List.of(When.BEFORE, When.TORN)) {
      try (ObjectStore store = open(FaultPlan.failing(0, when))) {
        assertThrows(BackupException.Sink.class, () -> store.put(A, ObjectBody.of(BYTES)));
        assertEquals(Set.of(), sink.snapshot().keySet(), when.toString());
      }
    }
  }

  @Test
  void a_put_whose_reply_is_lost_is_done() throws IOException {
    try (ObjectStore store = open(FaultPlan.failing(0, When.AFTER))) {
      assertThrows(BackupException.Sink.class, () -> store.put(A, ObjectBody.of(BYTES)));

      assertArrayEquals(BYTES, sink.snapshot().get(A));
    }
  }

  @Test
  void a_torn_put_lets_the_store_read_half_the_body() {
    var read = new ByteArrayOutputStream();
    var store =
        new FaultyStore(
            new BrokenStore(sink.open()) {
              @Override
              public void put(ObjectName name, ObjectBody body) throws IOException {
                try (InputStream in = body.open()) {
                  in.transferTo(read);
                }
              }
            },
            FaultPlan.failing(0, When.TORN));

    assertThrows(BackupException.Sink.class, () -> store.put(A, ObjectBody.of(BYTES)));

    assertArrayEquals(Arrays.copyOf(BYTES, 500), read.toByteArray());
  }

  @Test
  void a_store_that_takes_half_a_body_for_a_whole_is_found_out() {
    var store =
        new FaultyStore(
            new BrokenStore(sink.open()) {
              @Override
              public void put(ObjectName name, ObjectBody body) throws IOException {
                try (InputStream in = body.open()) {
                  in.readNBytes(10);
                }
              }
            },
            FaultPlan.failing(0, When.TORN));

    assertThrows(AssertionError.class, () -> store.put(A, ObjectBody.of(BYTES)));
  }

  @Test
  void a_torn_read_delivers_some_bytes_and_then_fails_again_and_again() throws IOException {
    sink.raw().write(A, BYTES);
    try (ObjectStore store = open(FaultPlan.failing(0, When.TORN));
        InputStream in = store.open(A, ByteRange.ALL)) {
      assertArrayEquals(Arrays.copyOf(BYTES, 500), in.readNBytes(500));
      assertThrows(BackupException.Sink.class, in::read);
      assertThrows(BackupException.Sink.class, in::read);
    }
    sink.assertNothingOpen();
  }

  @Test
  void a_torn_read_of_an_empty_object_fails() throws IOException {
    sink.raw().write(A, new byte[0]);
    try (ObjectStore store = open(FaultPlan.failing(0, When.TORN));
        InputStream in = store.open(A, ByteRange.ALL)) {
      assertThrows(BackupException.Sink.class, in::read);
    }
  }

  @Test
  void a_lasting_fault_fails_everything_after_it() throws IOException {
    var plan = FaultPlan.failing(1, When.BEFORE).andEverAfter().because(Reason.DENIED);
    try (ObjectStore store = open(plan)) {
      store.put(A, ObjectBody.of(BYTES));
      for (int i = 0; i < 3; i++) {
        var e = assertThrows(BackupException.Sink.class, () -> store.list("", PageToken.START));
        assertEquals(Reason.DENIED, e.reason());
      }
    }
  }

  @Test
  void stores_of_one_plan_are_counted_together() throws IOException {
    var plan = FaultPlan.failing(1, When.BEFORE);
    try (ObjectStore one = open(plan);
        ObjectStore other = open(plan)) {
      one.delete(A);
      assertThrows(BackupException.Sink.class, () -> other.delete(A));
      one.delete(A);
    }
  }

  @Test
  void operations_of_many_threads_are_all_counted_and_one_fails() throws Exception {
    var plan = FaultPlan.failing(50, When.AFTER);
    List<Callable<Integer>> threads = new ArrayList<>();
    try (ObjectStore store = open(plan)) {
      for (int t = 0; t < 4; t++) {
        threads.add(() -> failuresOf(25, store));
      }

      int failures = Crowd.run(threads).stream().mapToInt(Integer::intValue).sum();

      assertEquals(100, plan.operations());
      assertEquals(1, failures);
    }
  }

  private static int failuresOf(int deletes, ObjectStore store) throws IOException {
    int failures = 0;
    for (int i = 0; i < deletes; i++) {
      try {
        store.delete(A);
      } catch (BackupException.Sink e) {
        failures++;
      }
    }
    return failures;
  }

  private ObjectStore open(FaultPlan plan) throws IOException {
    return plan.on(sink).open(StoreContext.system());
  }

  private void run(FaultPlan plan) throws IOException {
    try (ObjectStore store = open(plan)) {
      store.put(A, ObjectBody.of(BYTES));
      try (InputStream in = store.open(A, ByteRange.ALL)) {
        assertArrayEquals(BYTES, in.readAllBytes());
      }
      store.list("a", PageToken.START);
      store.delete(A);
    }
  }
}
