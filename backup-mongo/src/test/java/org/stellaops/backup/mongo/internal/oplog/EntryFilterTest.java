package org.stellaops.backup.mongo.internal.oplog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.mongo.MongoFailure;

class EntryFilterTest {
  private static final String A = "{op: 'i', ns: 'a.x', o: {_id: 1}}";
  private static final String B = "{op: 'i', ns: 'b.x', o: {_id: 2}}";

  private final EntryFilter filter = new EntryFilter(OplogSelection.databases(Set.of("a")));

  private Optional<RawDocument> filtered(RawDocument entry) throws OplogException {
    return filter.apply(OplogEntry.of(entry));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "op: 'i', ns: 'a.x', o: {_id: 1}",
        "op: 'd', ns: 'a.x.y', o: {_id: 1}",
        "op: 'c', ns: 'a.$cmd', o: {create: 'x'}",
        "op: 'c', ns: 'a.$cmd', o: {dropDatabase: 1}",
        "op: 'c', ns: 'a.$cmd', o: {commitIndexBuild: 'x', indexes: []}",
        "op: 'c', ns: 'a.$cmd', o: {renameCollection: 'a.x', to: 'a.y'}",
        "op: 'c', ns: 'admin.$cmd', o: {commitTransaction: 1}",
        "op: 'c', ns: 'admin.$cmd', o: {applyOps: [" + A + "]}",
      })
  void what_concerns_the_selection_stays_as_it_is(String rest) throws Exception {
    RawDocument entry = Entries.rawEntry(5, rest);
    assertEquals(Optional.of(entry), filtered(entry));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "op: 'i', ns: 'b.x', o: {_id: 1}",
        "op: 'i', ns: 'config.transactions', o: {_id: 1}",
        "op: 'n', ns: '', o: {msg: 'periodic noop'}",
        "op: 'ci', ns: 'a.x', o: {}",
        "op: 'c', ns: 'b.$cmd', o: {create: 'x'}",
        "op: 'c', ns: 'b.$cmd', o: {somethingNew: 'x'}",
        "op: 'c', ns: 'b.$cmd', o: {renameCollection: 'b.x', to: 'b.y'}",
        "op: 'c', ns: 'a.$cmd', o: {startIndexBuild: 'x'}",
        "op: 'c', ns: 'a.$cmd', o: {setMultikeyMetadata: 'x'}",
        "op: 'c', ns: 'admin.$cmd', o: {applyOps: [" + B + "]}",
      })
  void what_does_not_goes(String rest) throws Exception {
    assertEquals(Optional.empty(), filtered(Entries.rawEntry(5, rest)));
  }

  @Test
  void operations_of_others_are_taken_out_of_a_transaction() throws Exception {
    RawDocument mixed = Entries.link(5, 1, 0, "{applyOps: [%s, %s, %s]}".formatted(B, A, B));
    RawDocument pure = Entries.link(5, 1, 0, "{applyOps: [%s]}".formatted(A));
    assertEquals(Optional.of(pure), filtered(mixed));
  }

  @Test
  void a_link_of_a_chain_stays_without_its_operations() throws Exception {
    RawDocument partial = Entries.link(5, 1, 0, "{applyOps: [%s], partialTxn: true}".formatted(B));
    RawDocument last = Entries.link(6, 1, 5, "{applyOps: [%s], count: 2}".formatted(B));
    assertEquals(
        Optional.of(Entries.link(5, 1, 0, "{applyOps: [], partialTxn: true}")), filtered(partial));
    assertEquals(Optional.of(Entries.link(6, 1, 5, "{applyOps: [], count: 2}")), filtered(last));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "op: 'c', ns: 'a.$cmd', o: {renameCollection: 'a.x', to: 'b.x'}",
        "op: 'c', ns: 'b.$cmd', o: {renameCollection: 'b.x', to: 'a.x'}",
      })
  void a_rename_across_the_selection_fails(String rest) {
    OplogException e =
        assertThrows(OplogException.class, () -> filtered(Entries.rawEntry(5, rest)));
    assertEquals(MongoFailure.OPLOG_RENAMED_ACROSS, e.code());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "op: 'c', ns: 'a.$cmd', o: {somethingNew: 'x'}",
        "op: 'c', ns: 'a.$cmd', o: {convertToCapped: 'x'}",
        "op: 'zz', ns: 'b.x', o: {}",
        "op: 'c', ns: 'admin.$cmd', o: {applyOps: [{op: 'zz', ns: 'a.x', o: {}}]}",
      })
  void what_is_not_known_stops(String rest) {
    OplogException e =
        assertThrows(OplogException.class, () -> filtered(Entries.rawEntry(5, rest)));
    assertEquals(MongoFailure.OPLOG_UNKNOWN_OPERATION, e.code());
    assertEquals(true, e.getMessage().contains("5.1"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"op: 5", "ns: 'a.x'", "op: 'i', ns: 'a', o: {}", "op: 'i', ns: 'a.', o: {}"})
  void what_is_no_entry_is_named(String rest) {
    OplogException e =
        assertThrows(OplogException.class, () -> filtered(Entries.rawEntry(5, rest)));
    assertEquals(MongoFailure.OPLOG_MALFORMED, e.code());
    assertEquals(true, e.getMessage().contains("entry 5.1"), e.getMessage());
  }
}
