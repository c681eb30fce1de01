package org.stellaops.backup.postgres.internal.receive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.fixture.StrictStream;
import org.stellaops.backup.postgres.fixture.StrictStream.Slice;

/** A unit of WAL at its boundaries: of places, of flushes, and of the records within. */
class WalUnitTest {
  private static final String SYSTEM = "7400000000000000001";
  private static final long TIMELINE = 3;
  private static final Lsn BEGIN = Lsn.parse("2/AB000000");
  private static final Instant EARLY = Instant.parse("2026-01-02T03:04:05Z");
  private static final Instant LATE = EARLY.plusSeconds(9);

  private final StrictStream stream = new StrictStream();
  private final byte[] wal = new byte[2 * WalUnit.BYTES];

  WalUnitTest() {
    new Random(1).nextBytes(wal);
  }

  private WalUnit unit(Lsn from, Lsn durable) {
    return new WalUnit(stream, SYSTEM, TIMELINE, from, durable);
  }

  private static Lsn plus(long bytes) {
    return new Lsn(BEGIN.position() + bytes);
  }

  /** Gives a unit that began at {@link #BEGIN} the bytes up to a place. */
  private void take(WalUnit unit, int to) {
    int from = (int) (unit.arrived().position() - BEGIN.position());
    unit.take(wal, from, to - from);
  }

  private static SliceSpan span(long from, long to) {
    return SliceSpan.of(plus(from).in(SYSTEM, TIMELINE), plus(to).in(SYSTEM, TIMELINE));
  }

  private void assertSlice(long from, long to, Slice found) {
    assertEquals(plus(from).in(SYSTEM, TIMELINE), found.span().from());
    assertEquals(plus(to).in(SYSTEM, TIMELINE), found.span().to());
    assertArrayEquals(Arrays.copyOfRange(wal, (int) from, (int) to), found.bytes());
  }

  @Test
  void exactly_sixteen_mebibytes_are_one_slice_and_the_next_unit_begins_behind() throws Exception {
    WalUnit unit = unit(BEGIN, BEGIN);
    take(unit, WalUnit.BYTES - 1);
    assertEquals(1, unit.room());
    assertFalse(unit.isFull());
    take(unit, WalUnit.BYTES);
    assertTrue(unit.isFull());
    unit.flush();
    unit.merge();
    assertEquals(1, stream.appended.size());
    assertSlice(0, WalUnit.BYTES, stream.appended.get(0));

    unit.next();
    assertEquals(WalUnit.BYTES, unit.room());
    assertFalse(unit.isPending() || unit.isUnmerged() || unit.isFull());
    take(unit, WalUnit.BYTES + 1);
    unit.flush();
    assertSlice(WalUnit.BYTES, WalUnit.BYTES + 1, stream.appended.get(1));
  }

  @Test
  void a_byte_more_than_there_is_room_for_is_a_mistake() {
    WalUnit unit = unit(plus(5), plus(5));
    assertEquals(WalUnit.BYTES - 5, unit.room());
    assertThrows(IndexOutOfBoundsException.class, () -> unit.take(wal, 0, WalUnit.BYTES + 1));
    assertEquals(plus(5), unit.arrived());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"0/0", "0/FF000000", "7FFFFFFF/FF000000", "80000000/0", "FFFFFFFF/FE000000"})
  void the_unit_that_holds_a_place_is_found_anywhere(String text) throws Exception {
    Lsn begin = Lsn.parse(text);
    Lsn inside = new Lsn(begin.position() + 4711);
    assertEquals(begin, WalUnit.floor(begin));
    assertEquals(begin, WalUnit.floor(inside));
    assertEquals(begin, WalUnit.floor(new Lsn(begin.position() + WalUnit.BYTES - 1)));
    WalUnit unit = unit(inside, inside);
    unit.take(wal, 0, unit.room());
    assertTrue(unit.isFull() && unit.isPending());
    unit.flush();
    assertFalse(unit.isPending());
    assertEquals(begin.position() + WalUnit.BYTES, unit.durable().position());
  }

  @Test
  void a_flush_of_nothing_stores_nothing() throws Exception {
    WalUnit unit = unit(BEGIN, BEGIN);
    unit.flush();
    unit.merge();
    take(unit, 10);
    unit.flush();
    int calls = stream.calls();
    unit.flush();
    assertEquals(calls, stream.calls());
    assertEquals(1, stream.appended.size());
    assertEquals(plus(10), unit.durable());
  }

  @Test
  void a_flush_in_the_middle_makes_two_slices_and_a_merge_one_of_both() throws Exception {
    WalUnit unit = unit(BEGIN, BEGIN);
    take(unit, 1_000);
    unit.flush();
    take(unit, 5_000);
    assertTrue(unit.isPending());
    assertEquals(plus(1_000), unit.durable(), "what only arrived is not durable");
    unit.flush();
    assertSlice(0, 1_000, stream.appended.get(0));
    assertSlice(1_000, 5_000, stream.appended.get(1));
    assertTrue(unit.isUnmerged());
    unit.merge();
    assertSlice(0, 5_000, stream.merged.get(0));
    unit.merge();
    assertEquals(1, stream.merged.size(), "nothing came since");
    take(unit, 6_000);
    unit.flush();
    unit.merge();
    assertSlice(5_000, 6_000, stream.merged.get(1));
  }

  @Test
  void a_merge_takes_what_is_durable_and_no_more() throws Exception {
    WalUnit unit = unit(BEGIN, BEGIN);
    take(unit, 100);
    unit.merge();
    assertEquals(List.of(), stream.merged);
    unit.flush();
    take(unit, 300);
    unit.merge();
    assertSlice(0, 100, stream.merged.get(0));
  }

  @Test
  void what_is_durable_already_is_received_again_and_not_stored_again() throws Exception {
    stream.append(span(0, 1_000), out -> out.write(wal, 0, 1_000));
    WalUnit unit = unit(BEGIN, plus(1_000));
    take(unit, 600);
    unit.flush();
    assertFalse(unit.isPending());
    take(unit, 1_000);
    unit.flush();
    assertEquals(1, stream.appended.size());
    take(unit, 1_001);
    assertTrue(unit.isPending());
    unit.flush();
    assertSlice(1_000, 1_001, stream.appended.get(1));
    unit.merge();
    assertSlice(0, 1_001, stream.merged.get(0));
  }

  @Test
  void a_place_before_the_unit_is_taken_for_nothing_stored() throws Exception {
    WalUnit unit = unit(BEGIN, new Lsn(BEGIN.position() - 500));
    take(unit, 10);
    unit.flush();
    assertSlice(0, 10, stream.appended.get(0));
  }

  @Test
  void a_commit_that_ends_with_a_slice_is_of_this_slice_and_of_no_later_one() throws Exception {
    WalUnit unit = unit(BEGIN, BEGIN);
    take(unit, 100);
    unit.committed(plus(100), 7, LATE);
    unit.aborted(plus(50), 8, EARLY);
    unit.flush();
    take(unit, 200);
    unit.flush();
    assertTimes(Optional.of(EARLY), Optional.of(LATE), stream.appended.get(0).span());
    assertTimes(Optional.empty(), Optional.empty(), stream.appended.get(1).span());
    unit.merge();
    assertTimes(Optional.of(EARLY), Optional.of(LATE), stream.merged.get(0).span());
  }

  @Test
  void a_commit_that_ends_with_a_unit_is_of_this_unit_and_one_behind_it_of_the_next()
      throws Exception {
    WalUnit unit = unit(BEGIN, BEGIN);
    take(unit, WalUnit.BYTES);
    unit.committed(plus(WalUnit.BYTES), 7, EARLY);
    unit.flush();
    unit.merge();
    unit.next();
    take(unit, WalUnit.BYTES + 8);
    unit.committed(plus(WalUnit.BYTES + 8), 8, LATE);
    unit.flush();
    unit.merge();
    assertTimes(Optional.of(EARLY), Optional.of(EARLY), stream.merged.get(0).span());
    assertTimes(Optional.of(LATE), Optional.of(LATE), stream.merged.get(1).span());
  }

  @Test
  void a_commit_that_is_heard_again_is_of_the_merged_slice_only() throws Exception {
    stream.append(span(0, 100), out -> out.write(wal, 0, 100));
    WalUnit unit = unit(BEGIN, plus(100));
    take(unit, 150);
    unit.committed(plus(100), 7, EARLY);
    unit.committed(plus(101), 8, LATE);
    unit.flush();
    unit.merge();
    assertTimes(Optional.of(LATE), Optional.of(LATE), stream.appended.get(1).span());
    assertTimes(Optional.of(EARLY), Optional.of(LATE), stream.merged.get(0).span());
  }

  @Test
  void a_restore_point_is_marked_once_and_one_without_a_name_never() throws Exception {
    stream.append(span(0, 100), out -> out.write(wal, 0, 100));
    WalUnit unit = unit(BEGIN, plus(100));
    take(unit, 150);
    unit.restorePoint(plus(100), "known", EARLY);
    unit.restorePoint(plus(101), "fresh", LATE);
    unit.restorePoint(plus(102), "", LATE);
    unit.flush();
    take(unit, 160);
    unit.flush();
    assertEquals(
        List.of(new StreamMark("fresh", plus(101).in(SYSTEM, TIMELINE), LATE)), stream.marks);
    assertTimes(Optional.empty(), Optional.empty(), stream.appended.get(1).span());
  }

  @Test
  void what_could_not_be_stored_is_stored_by_the_next_flush() throws Exception {
    WalUnit unit = unit(BEGIN, BEGIN);
    take(unit, 100);
    unit.committed(plus(100), 7, EARLY);
    stream.failAt(0, true);
    assertThrows(BackupException.Sink.class, unit::flush);
    assertEquals(BEGIN, unit.durable());
    assertTrue(unit.isPending());
    unit.flush();
    assertSlice(0, 100, stream.appended.get(0));
    assertTimes(Optional.of(EARLY), Optional.of(EARLY), stream.appended.get(0).span());
  }

  @Test
  void a_buffer_that_somebody_else_fills_is_stored_alike() throws IOException {
    byte[] buffer = new byte[WalUnit.BYTES];
    WalUnit unit = new WalUnit(stream, SYSTEM, TIMELINE, BEGIN, BEGIN, buffer);
    System.arraycopy(wal, 0, buffer, 0, WalUnit.BYTES);
    unit.took(WalUnit.BYTES);
    assertTrue(unit.isFull());
    unit.flush();
    assertSlice(0, WalUnit.BYTES, stream.appended.get(0));
  }

  private static void assertTimes(Optional<Instant> first, Optional<Instant> last, SliceSpan span) {
    assertEquals(first, span.firstTime());
    assertEquals(last, span.lastTime());
  }
}
