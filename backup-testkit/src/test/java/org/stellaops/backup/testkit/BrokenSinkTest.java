package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;

/** Each way to be broken is found by the tests of the contract that are named for it. */
class BrokenSinkTest {
  @Test
  void a_sink_that_is_not_broken_passes() {
    assertFails(List.of(), (sink, store) -> store);
  }

  @Test
  void silent_overwriting_is_found() {
    assertFails(
        List.of("an_object_is_never_replaced", "of_concurrent_puts_of_one_name_exactly_one_wins"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public void put(ObjectName name, ObjectBody body) throws IOException {
                try {
                  inner.put(name, body);
                } catch (BackupException.Sink e) {
                  inner.delete(name);
                  inner.put(name, body);
                }
              }
            });
  }

  @Test
  void taking_equal_bytes_for_success_is_found() {
    assertFails(
        List.of("an_object_is_never_replaced"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public void put(ObjectName name, ObjectBody body) throws IOException {
                byte[] there = sink.snapshot().get(name);
                if (there == null || there.length != body.lengthBytes()) {
                  inner.put(name, body);
                }
              }
            });
  }

  @Test
  void a_torn_object_is_found() {
    assertFails(
        List.of("a_body_that_fails_leaves_nothing"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public void put(ObjectName name, ObjectBody body) throws IOException {
                try {
                  inner.put(name, body);
                } catch (IOException e) {
                  if (!(e instanceof BackupException)) {
                    sink.raw().write(name, new byte[1]);
                  }
                  throw e;
                }
              }
            });
  }

  @Test
  void trusting_the_length_and_digest_of_a_body_is_found() {
    assertFails(
        List.of("a_body_that_is_not_what_it_says_is_refused"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public void put(ObjectName name, ObjectBody body) throws IOException {
                try (InputStream in = body.open()) {
                  inner.put(name, ObjectBody.of(in.readAllBytes()));
                }
              }
            });
  }

  @Test
  void leaving_the_stream_of_a_body_open_is_found() {
    assertFails(
        List.of("the_streams_of_a_body_are_closed"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public void put(ObjectName name, ObjectBody body) throws IOException {
                body.open();
                inner.put(name, body);
              }
            });
  }

  @Test
  void ignoring_the_end_of_a_range_is_found() {
    assertFails(
        List.of("a_range_gives_its_bytes_and_no_more"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public InputStream open(ObjectName name, ByteRange range) throws IOException {
                return inner.open(name, new ByteRange(range.offset(), Long.MAX_VALUE));
              }
            });
  }

  @Test
  void an_empty_stream_for_what_is_not_there_is_found() {
    assertFails(
        List.of("what_is_not_there_is_not_found", "a_deleted_object_is_gone_and_its_name_is_free"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public InputStream open(ObjectName name, ByteRange range) throws IOException {
                return sink.snapshot().containsKey(name)
                    ? inner.open(name, range)
                    : InputStream.nullInputStream();
              }
            });
  }

  @Test
  void a_prefix_taken_for_a_folder_is_found() {
    assertFails(
        List.of("a_prefix_is_text_and_nothing_else"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public ObjectPage list(String prefix, PageToken from) throws IOException {
                boolean isFolder = prefix.isEmpty() || prefix.endsWith("/");
                return inner.list(isFolder ? prefix : prefix + "/", from);
              }
            });
  }

  @Test
  void showing_the_first_page_only_is_found() {
    assertFails(
        List.of("a_listing_shows_every_object_once_with_its_length"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public ObjectPage list(String prefix, PageToken from) throws IOException {
                return new ObjectPage(inner.list(prefix, from).objects(), PageToken.END);
              }
            });
  }

  @Test
  void pages_by_number_are_found() {
    assertFails(
        List.of("a_listing_that_others_put_into_and_delete_from_shows_all_that_stays"),
        (sink, store) -> new PagedByNumber(sink, store));
  }

  @Test
  void folding_case_is_found() {
    assertFails(
        List.of("awkward_names_survive"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public void put(ObjectName name, ObjectBody body) throws IOException {
                inner.put(ObjectName.of(name.value().toLowerCase(Locale.ROOT)), body);
              }
            });
  }

  @Test
  void refusing_to_delete_what_is_not_there_is_found() {
    assertFails(
        List.of("deleting_what_is_not_there_does_nothing"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public void delete(ObjectName name) throws IOException {
                sink.raw().remove(name);
              }
            });
  }

  @Test
  void deleting_all_below_a_name_is_found() {
    assertFails(
        List.of("deleting_what_is_not_there_does_nothing"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public void delete(ObjectName name) throws IOException {
                for (ObjectName each : sink.raw().names()) {
                  if (each.value().startsWith(name.value())) {
                    inner.delete(each);
                  }
                }
              }
            });
  }

  @Test
  void a_version_that_does_not_change_is_found() {
    assertFails(
        List.of("a_version_changes_with_the_bytes"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public ObjectPage list(String prefix, PageToken from) throws IOException {
                ObjectPage page = inner.list(prefix, from);
                return new ObjectPage(
                    page.objects().stream()
                        .map(o -> new StoredObject(o.name(), o.lengthBytes(), "1"))
                        .toList(),
                    page.next());
              }
            });
  }

  @Test
  void losing_objects_on_closing_is_found() {
    assertFails(
        List.of("objects_stay_when_the_store_is_closed", "closing_twice_does_nothing_more"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public void close() throws IOException {
                sink.reset(new MemorySink().snapshot());
                inner.close();
              }
            });
  }

  @Test
  void a_store_left_open_is_found() {
    Map<String, Throwable> failures =
        ContractRun.failures(
            () ->
                new BrokenSinkContract(
                    (sink, store) ->
                        new BrokenStore(store) {
                          @Override
                          public void close() {}
                        }));
    assertTrue(failures.containsKey("an_empty_sink_lists_nothing"), failures.toString());
  }

  @Test
  void a_store_that_is_not_create_exclusive_is_no_sink() {
    assertFails(
        List.of("of_concurrent_puts_of_one_name_exactly_one_wins"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public StoreTraits traits() {
                return new StoreTraits(false, true, Long.MAX_VALUE, Map.of());
              }
            });
  }

  @Test
  void a_flipped_bit_is_found() {
    assertFails(
        List.of("what_is_put_can_be_read"),
        (sink, store) ->
            new BrokenStore(store) {
              @Override
              public InputStream open(ObjectName name, ByteRange range) throws IOException {
                return new FlippedAtTheEnd(inner.open(name, range));
              }
            });
  }

  private static void assertFails(
      List<String> expected, BiFunction<MemorySink, ObjectStore, ObjectStore> breaking) {
    Map<String, Throwable> failures = ContractRun.failures(() -> new BrokenSinkContract(breaking));
    assertTrue(
        expected.isEmpty() ? failures.isEmpty() : failures.keySet().containsAll(expected),
        "expected " + expected + ", found " + failures);
  }

  /** Pages that begin at the n-th object, whatever was deleted before it. */
  private static final class PagedByNumber extends BrokenStore {
    private final MemorySink sink;

    PagedByNumber(MemorySink sink, ObjectStore inner) {
      super(inner);
      this.sink = sink;
    }

    @Override
    public ObjectPage list(String prefix, PageToken from) {
      List<StoredObject> all = new ArrayList<>();
      sink.snapshot()
          .forEach(
              (name, bytes) -> {
                if (name.value().startsWith(prefix)) {
                  all.add(new StoredObject(name, bytes.length, ""));
                }
              });
      int start = from.equals(PageToken.START) ? 0 : Integer.parseInt(from.value());
      int end = Math.min(start + 10, all.size());
      return new ObjectPage(
          all.subList(Math.min(start, end), end),
          end == all.size() ? PageToken.END : new PageToken(Integer.toString(end)));
    }
  }

  private static final class FlippedAtTheEnd extends FilterInputStream {
    FlippedAtTheEnd(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = super.read(buffer, offset, length);
      if (n > 0) {
        buffer[offset + n - 1] ^= 1;
      }
      return n;
    }
  }
}
