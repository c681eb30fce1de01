package org.stellaops.backup.postgres.internal.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.postgres.Lsn;

class WalFileTest {
  @ParameterizedTest
  @CsvSource({
    "1MB, 1, 0/0, 000000010000000000000000",
    "16MB, 1, 0/1000000, 000000010000000000000001",
    "16MB, 2, 0/FF000000, 0000000200000000000000FF",
    "16MB, 4294967295, FFFFFFFF/0, FFFFFFFFFFFFFFFF00000000",
    "1MB, 1, 1/FFF00000, 000000010000000100000FFF",
    "1GB, 16, 1/C0000000, 000000100000000100000003"
  })
  void a_segment_has_the_name_of_its_place(String size, long timeline, String lsn, String name) {
    SegmentSize segmentSize = SegmentSize.parse(size);
    WalSegmentName segment = new WalSegmentName(timeline, Lsn.parse(lsn), segmentSize);

    assertEquals(name, segment.toString());
    assertEquals(segment, WalSegmentName.parse(name, segmentSize));
    Lsn inside = new Lsn(segment.end().position() - 1);
    assertEquals(segment, WalSegmentName.holding(inside, timeline, segmentSize));
    assertEquals(size, segmentSize.toString());
  }

  @Test
  void the_next_segment_carries_into_the_upper_half() {
    WalSegmentName last = WalSegmentName.parse("0000000100000000000000FF", SegmentSize.DEFAULT);

    assertEquals("000000010000000100000000", last.next().toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "000000010000000000000100",
        "00000000000000000000000A",
        "00000001000000000000000",
        "0000000100000000000000001",
        "00000001000000000000000a",
        "00000001000000000000000A.tmp",
        "00000001000000000000000A.partial.partial",
        "00000001000000000000000A.00000028.backup.gz",
        "00000001000000000000000A.01000000.backup",
        "00000000.history",
        "2.history",
        "../00000002.history",
        "00000002.history\n"
      })
  void any_other_name_is_refused(String name) {
    assertThrows(
        IllegalArgumentException.class, () -> WalFile.parse(name, SegmentSize.DEFAULT), name);
  }

  @ParameterizedTest
  @CsvSource({
    "00000001000000000000000A, SEGMENT",
    "00000001000000000000000A.partial, PARTIAL_SEGMENT",
    "00000001000000000000000A.00000028.backup, BACKUP_LABEL",
    "0000000A.history, HISTORY"
  })
  void a_file_is_what_its_name_says(String name, WalFile.Kind kind) {
    WalFile file = WalFile.parse(name, SegmentSize.DEFAULT);

    assertEquals(kind, file.kind());
    assertEquals(name, file.toString());
  }

  @Test
  void a_place_in_the_middle_is_no_segment() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new WalSegmentName(1, Lsn.parse("0/1000028"), SegmentSize.DEFAULT));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "16", "16kB", "3MB", "0MB", "2GB", "9999GB", "-1MB"})
  void an_impossible_size_is_refused(String setting) {
    assertThrows(IllegalArgumentException.class, () -> SegmentSize.parse(setting));
  }
}
