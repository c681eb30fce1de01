package org.stellaops.backup.mongo.internal.oplog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DocumentUpdateTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{_id: 1, a: 1} | {_id: 1, b: 2}                       | {_id: 1, b: 2}",
        "{_id: 1, a: 1} | {$v: 2, diff: {u: {a: 2}}}           | {_id: 1, a: 2}",
        "{_id: 1, a: 1} | {$v: 1, $set: {a: 2, c: 3}}          | {_id: 1, a: 2, c: 3}",
        "{_id: 1, a: 1} | {$set: {'b.c.d': 2}}                 | {_id: 1, a: 1, b: {c: {d: 2}}}",
        "{_id: 1, a: [1]} | {$v: 1, $set: {'a.0': 2, 'a.2': 3}} | {_id: 1, a: [2, null, 3]}",
        "{_id: 1, a: [{b: 1}]} | {$v: 1, $set: {'a.0.b': 2}}   | {_id: 1, a: [{b: 2}]}",
        "{_id: 1, a: 1} | {$v: 1, $set: {'a.b': 2}}            | {_id: 1, a: 1}",
        "{_id: 1, a: [1]} | {$v: 1, $set: {'a.b': 2}}          | {_id: 1, a: [1]}",
        "{_id: 1, a: {b: 1}, c: 1} | {$v: 1, $unset: {'a.b': true, c: true, x: true}} | {_id: 1, a: {}}",
        "{_id: 1, a: [1, 2]} | {$v: 1, $unset: {'a.0': true}}  | {_id: 1, a: [null, 2]}",
        "{_id: 1, a: 1, b: 2} | {$v: 1, $unset: {a: true}, $set: {b: 3}} | {_id: 1, b: 3}",
      })
  void updates_of_every_version_are_applied(String before, String o, String after) {
    assertEquals(Entries.raw(after), DocumentUpdate.apply(Entries.raw(before), Entries.raw(o)));
  }

  @Test
  void an_update_that_is_not_known_is_refused() {
    RawDocument before = Entries.raw("{a: 1}");
    for (String o : new String[] {"{$v: 3, diff: {}}", "{$v: 1, $inc: {a: 1}}", "{$v: 2}"}) {
      assertThrows(
          IllegalArgumentException.class, () -> DocumentUpdate.apply(before, Entries.raw(o)), o);
    }
  }
}
