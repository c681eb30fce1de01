package org.stellaops.backup.mongo.internal.oplog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.mongo.MongoFailure;

class TransactionsTest {
  private final Transactions transactions = new Transactions(10_000, Entries.ts(1));

  private static String put(int id) {
    return "{op: 'i', ns: 'a.x', o: {_id: %d}}".formatted(id);
  }

  /** Ids of what is done now; empty while nothing is. */
  private Optional<List<Long>> take(RawDocument entry) throws OplogException {
    return transactions
        .take(OplogEntry.of(entry))
        .map(e -> e.operations().stream().map(o -> o.id().number()).toList());
  }

  @Test
  void a_whole_transaction_is_done_at_once() throws Exception {
    RawDocument entry = Entries.link(5, 1, 0, "{applyOps: [%s, %s]}".formatted(put(1), put(2)));
    assertEquals(Optional.of(List.of(1L, 2L)), take(entry));
  }

  @Test
  void a_chain_is_done_at_its_end_in_order() throws Exception {
    take(Entries.link(5, 1, 0, "{applyOps: [%s], partialTxn: true}".formatted(put(1))));
    take(Entries.link(6, 2, 0, "{applyOps: [%s], partialTxn: true}".formatted(put(7))));
    assertEquals(
        Optional.empty(),
        take(Entries.link(7, 1, 5, "{applyOps: [%s], partialTxn: true}".formatted(put(2)))));
    assertEquals(Optional.of(Entries.ts(5)), transactions.oldest());
    assertEquals(
        Optional.of(List.of(1L, 2L, 3L)),
        take(Entries.link(8, 1, 7, "{applyOps: [%s], count: 3}".formatted(put(3)))));
    assertEquals(Optional.of(Entries.ts(6)), transactions.oldest());
  }

  @Test
  void a_prepared_one_is_done_at_its_commit_and_shown_since_its_timestamp() throws Exception {
    take(Entries.link(5, 1, 0, "{applyOps: [%s], partialTxn: true}".formatted(put(1))));
    assertEquals(
        Optional.empty(),
        take(Entries.link(6, 1, 5, "{applyOps: [%s], prepare: true}".formatted(put(2)))));
    RawDocument commit =
        Entries.link(
            9, 1, 6, "{commitTransaction: 1, commitTimestamp: {$timestamp: {t: 8, i: 1}}}");
    Transactions.Ended ended = transactions.take(OplogEntry.of(commit)).orElseThrow();
    assertEquals(2, ended.operations().size());
    assertEquals(Entries.ts(8), ended.visible());
    assertEquals(true, transactions.isEmpty());
  }

  @Test
  void one_that_is_taken_back_does_nothing() throws Exception {
    take(Entries.link(6, 1, 0, "{applyOps: [%s], prepare: true}".formatted(put(2))));
    assertEquals(Optional.of(List.of()), take(Entries.link(7, 1, 6, "{abortTransaction: 1}")));
    assertEquals(true, transactions.isEmpty());
  }

  @Test
  void retryable_inserts_that_were_written_together_are_no_chain() throws Exception {
    RawDocument inserts =
        Entries.rawEntry(
            9,
            "op: 'c', ns: 'admin.$cmd', o: {applyOps: [%s]}, lsid: {id: 1}, txnNumber: 1, multiOpType: 1, prevOpTime: {ts: {$timestamp: {t: 3, i: 1}}, t: 1}"
                .formatted(put(4)));
    assertEquals(Optional.of(List.of(4L)), take(inserts));
  }

  @Test
  void a_transaction_without_its_beginning_stops() {
    RawDocument commit = Entries.link(7, 1, 6, "{commitTransaction: 1}");
    OplogException e = assertThrows(OplogException.class, () -> take(commit));
    assertEquals(MongoFailure.TRANSACTION_INCOMPLETE, e.code());
    RawDocument last = Entries.link(7, 1, 6, "{applyOps: [%s]}".formatted(put(1)));
    assertThrows(OplogException.class, () -> take(last));
  }

  @Test
  void one_that_had_ended_before_the_capture_is_passed_over() throws Exception {
    RawDocument last = Entries.link(1, 1, 0, "{applyOps: []}");
    assertEquals(Optional.of(List.of()), take(last));
    Transactions tolerant = new Transactions(10_000, Entries.ts(8));
    assertEquals(
        List.of(),
        tolerant
            .take(OplogEntry.of(Entries.link(7, 1, 6, "{applyOps: [%s]}".formatted(put(1)))))
            .orElseThrow()
            .operations());
  }

  @Test
  void open_transactions_have_a_bound_and_closed_ones_count_no_more() throws Exception {
    String large = "{op: 'i', ns: 'a.x', o: {_id: 1, t: '%s'}}".formatted("x".repeat(6_000));
    for (int i = 1; i < 5; i++) {
      take(Entries.link(5, i, 0, "{applyOps: [%s], prepare: true}".formatted(large)));
      take(Entries.link(6, i, 5, "{abortTransaction: 1}"));
    }
    take(Entries.link(7, 8, 0, "{applyOps: [%s], prepare: true}".formatted(large)));
    RawDocument second = Entries.link(8, 9, 0, "{applyOps: [%s], prepare: true}".formatted(large));
    OplogException e = assertThrows(OplogException.class, () -> take(second));
    assertEquals(MongoFailure.TRANSACTION_TOO_LARGE, e.code());
  }
}
