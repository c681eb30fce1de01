package org.stellaops.backup.mongo.internal.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bson.BsonDocument;
import org.junit.jupiter.api.Test;

class UnorderedTallyTest {
  private static final byte[] SMALL = ArchiveWriter.encode(BsonDocument.parse("{_id: 1}"));
  private static final byte[] LARGE =
      ArchiveWriter.encode(BsonDocument.parse("{_id: 2, text: 'of another length'}"));

  @Test
  void documents_in_another_order_come_to_the_same() {
    RunningTally archived = new RunningTally();
    archived.add(SMALL, 0, SMALL.length);
    archived.add(LARGE, 0, LARGE.length);
    UnorderedTally read = new UnorderedTally();
    byte[] together = new byte[LARGE.length + SMALL.length + 10];
    System.arraycopy(LARGE, 0, together, 0, LARGE.length);
    System.arraycopy(SMALL, 0, together, LARGE.length, SMALL.length);
    read.add(together, LARGE.length + SMALL.length);
    assertTrue(read.value().isSameContent(archived.value()), read.value().describe());
    assertEquals(2, read.value().documents());
  }

  @Test
  void a_document_that_reaches_beyond_the_end_is_none() {
    UnorderedTally read = new UnorderedTally();
    assertThrows(IllegalArgumentException.class, () -> read.add(LARGE, LARGE.length - 1));
  }

  @Test
  void a_length_of_nothing_is_no_document() {
    UnorderedTally read = new UnorderedTally();
    assertThrows(IllegalArgumentException.class, () -> read.add(new byte[5], 5));
  }
}
