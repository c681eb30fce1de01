package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.PageToken;

class MemorySinkTest extends BackupSinkContract {
  private static final ObjectName A = ObjectName.of("a");
  private static final ObjectName B = ObjectName.of("b");

  @Override
  protected BackupSink newSink() {
    return new MemorySink();
  }

  @Override
  protected void assertNothingOpen(BackupSink tested) {
    ((MemorySink) tested).assertNothingOpen();
  }

  @Test
  void a_store_left_open_is_named() {
    var sink = new MemorySink();
    try (MemoryStore store = sink.open()) {
      assertTrue(store.traits().isCreateExclusive());
      var e = assertThrows(AssertionError.class, sink::assertNothingOpen);
      assertTrue(e.getMessage().contains("1 stores"), e.getMessage());
    }
    sink.assertNothingOpen();
  }

  @Test
  void a_stream_left_open_is_named_and_of_no_use_once_the_store_is_closed() throws IOException {
    var sink = new MemorySink();
    MemoryStore store = sink.open();
    store.put(A, ObjectBody.of(new byte[10]));
    InputStream in = store.open(A, ByteRange.ALL);
    store.close();

    assertThrows(IOException.class, in::read);
    var e = assertThrows(AssertionError.class, sink::assertNothingOpen);
    assertTrue(e.getMessage().contains("object a"), e.getMessage());
    in.close();
    sink.assertNothingOpen();
  }

  @Test
  void a_closed_store_is_of_no_use() {
    MemoryStore store = new MemorySink().open();
    store.close();

    assertThrows(IllegalStateException.class, () -> store.put(A, ObjectBody.of(new byte[1])));
    assertThrows(IllegalStateException.class, () -> store.open(A, ByteRange.ALL));
    assertThrows(IllegalStateException.class, () -> store.list("", PageToken.START));
    assertThrows(IllegalStateException.class, () -> store.delete(A));
  }

  @Test
  void pages_are_small_some_are_empty_and_the_order_is_not_that_of_the_names() throws IOException {
    MemoryStore store = new MemorySink(7).open();
    List<ObjectName> names = new ArrayList<>();
    for (int i = 100; i < 200; i++) {
      names.add(ObjectName.of("o" + i));
      store.put(names.get(i - 100), ObjectBody.of(new byte[1]));
    }

    List<ObjectName> seen = new ArrayList<>();
    int emptyPages = 0;
    PageToken token = PageToken.START;
    while (!token.equals(PageToken.END)) {
      ObjectPage page = store.list("", token);
      assertTrue(page.objects().size() <= 5);
      emptyPages += page.objects().isEmpty() ? 1 : 0;
      page.objects().forEach(o -> seen.add(o.name()));
      token = page.next();
    }

    assertEquals(Set.copyOf(names), Set.copyOf(seen));
    assertTrue(!names.equals(seen) && emptyPages > 0, seen + ", empty pages: " + emptyPages);
  }

  @Test
  void too_large_an_object_is_refused() {
    MemoryStore store = new MemorySink().limitObjects(9).open();

    assertDoesNotThrow(() -> store.put(A, ObjectBody.of(new byte[9])));
    var e =
        assertThrows(BackupException.Sink.class, () -> store.put(B, ObjectBody.of(new byte[10])));
    assertEquals(Reason.REFUSED, e.reason());
    assertEquals(9, store.traits().maxObjectBytes());
  }

  @Test
  void a_protected_object_cannot_be_deleted() throws IOException {
    var sink = new MemorySink();
    MemoryStore store = sink.open();
    store.put(A, ObjectBody.of(new byte[1]));
    sink.protect(A);

    var e = assertThrows(BackupException.Sink.class, () -> store.delete(A));
    assertEquals(Reason.LOCKED, e.reason());
    sink.unprotect(A);
    store.delete(A);
    assertEquals(Set.of(), sink.snapshot().keySet());
  }

  @Test
  void a_snapshot_is_a_copy_that_can_be_put_back() throws IOException {
    var sink = new MemorySink();
    MemoryStore store = sink.open();
    store.put(A, ObjectBody.of(new byte[] {1}));
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    sink.snapshot().get(A)[0] = 5;
    store.put(B, ObjectBody.of(new byte[] {2}));
    sink.raw().write(A, 0, (byte) 9);

    sink.reset(before);

    assertEquals(Set.of(A), sink.snapshot().keySet());
    assertArrayEquals(new byte[] {1}, sink.raw().read(A));
  }
}
