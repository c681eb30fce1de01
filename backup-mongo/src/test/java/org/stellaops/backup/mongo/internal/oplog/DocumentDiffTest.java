package org.stellaops.backup.mongo.internal.oplog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bson.BsonArray;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DocumentDiffTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{a: 1, b: 2}       | {u: {a: 3}}                     | {a: 3, b: 2}",
        "{a: 1, b: 2}       | {u: {c: 3}}                     | {a: 1, b: 2, c: 3}",
        "{a: 1, b: 2}       | {i: {a: 3}}                     | {b: 2, a: 3}",
        "{a: 1, b: 2}       | {d: {a: false}}                 | {b: 2}",
        "{a: 1}             | {d: {x: false}}                 | {a: 1}",
        "{a: 1}             | {u: {y: 1}, i: {x: 2}}          | {a: 1, y: 1, x: 2}",
        "{a: {b: 1, c: 2}}  | {sa: {u: {b: 5}}}               | {a: {b: 5, c: 2}}",
        "{a: 1}             | {sa: {u: {b: 5}}}               | {a: null}",
        "{b: 1}             | {sa: {u: {b: 5}}}               | {b: 1}",
        "{a: [1]}           | {sa: {u: {b: 5}}}               | {a: null}",
        "{a: {}}            | {sa: {a: true, u0: 1}}          | {a: null}",
        "{a: [1, 2, 3]}     | {sa: {a: true, l: 2}}           | {a: [1, 2]}",
        "{a: [1]}           | {sa: {a: true, l: 3}}           | {a: [1, null, null]}",
        "{a: [1, 2]}        | {sa: {a: true, u1: 5, u3: 7}}   | {a: [1, 5, null, 7]}",
        "{a: [1, {b: 1}]}   | {sa: {a: true, s1: {u: {b: 2}}}} | {a: [1, {b: 2}]}",
        "{a: [1, 2]}        | {sa: {a: true, s1: {u: {b: 2}}}} | {a: [1, null]}",
        "{a: []}            | {sa: {a: true, s1: {u: {b: 2}}}} | {a: [null, null]}",
        "{a: [[1], 2]}      | {sa: {a: true, s0: {a: true, u0: 9}}} | {a: [[9], 2]}",
        "{s: {s: 1}}        | {ss: {u: {s: 2}}}               | {s: {s: 2}}",
        "{'': 1, '0': 2}    | {d: {'': false}, u: {'0': 3}}   | {'0': 3}",
        "{a: 1}             | {}                              | {a: 1}",
      })
  void a_diff_does_what_a_server_does(String before, String diff, String after) {
    assertEquals(Entries.raw(after), DocumentDiff.apply(Entries.raw(before), Entries.raw(diff)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{b: {a: {o: 1}}}              | section 'b'",
        "{x: {a: 1}}                   | section 'x'",
        "{u: {a: 1}, d: {a: false}}    | changes a field twice: a",
        "{sa: {a: true, q1: 1}}        | section 'q1'",
      })
  void a_diff_that_is_not_known_is_refused(String diff, String found) {
    RawDocument before = Entries.raw("{a: [1]}");
    Exception e =
        assertThrows(
            IllegalArgumentException.class, () -> DocumentDiff.apply(before, Entries.raw(diff)));
    assertEquals(true, e.getMessage().contains(found), e.getMessage());
  }

  @Test
  void diffs_of_random_edits_lead_to_the_edited_bytes() {
    for (int seed = 0; seed < 3_000; seed++) {
      Editing editing = new Editing(new Random(seed));
      BsonDocument before = editing.document(3);
      BsonDocument after = new BsonDocument();
      BsonDocument diff = editing.edit(before, after);
      assertEquals(
          Entries.raw(after),
          DocumentDiff.apply(Entries.raw(before), Entries.raw(diff)),
          "seed " + seed + ": " + before.toJson() + " and " + diff.toJson());
    }
  }

  @Test
  void a_diff_applied_twice_is_applied_once() {
    for (int seed = 0; seed < 1_000; seed++) {
      Editing editing = new Editing(new Random(seed));
      BsonDocument before = editing.document(3);
      RawDocument diff = Entries.raw(editing.edit(before, new BsonDocument()));
      RawDocument once = DocumentDiff.apply(Entries.raw(before), diff);
      assertEquals(once, DocumentDiff.apply(once, diff), "seed " + seed);
    }
  }

  /** Edits documents, and says in a diff what it did: knows nothing of how a diff is applied. */
  private static final class Editing {
    private final Random random;
    private int names;

    Editing(Random random) {
      this.random = random;
    }

    BsonDocument document(int depth) {
      BsonDocument document = new BsonDocument();
      for (int i = random.nextInt(6); i > 0; i--) {
        document.append("f" + names++, value(depth));
      }
      return document;
    }

    BsonValue value(int depth) {
      return switch (random.nextInt(depth > 0 ? 8 : 5)) {
        case 0 -> new BsonInt32(random.nextInt());
        case 1 -> new BsonInt64(random.nextLong());
        case 2 -> new BsonDouble(random.nextDouble());
        case 3 -> new BsonString("x".repeat(random.nextInt(30)));
        case 4 -> BsonNull.VALUE;
        case 5 -> document(depth - 1);
        default -> array(depth - 1);
      };
    }

    BsonArray array(int depth) {
      BsonArray array = new BsonArray();
      for (int i = random.nextInt(5); i > 0; i--) {
        array.add(value(depth));
      }
      return array;
    }

    BsonDocument edit(BsonDocument before, BsonDocument after) {
      BsonDocument deleted = new BsonDocument();
      BsonDocument updated = new BsonDocument();
      BsonDocument inserted = new BsonDocument();
      Map<String, BsonDocument> within = new LinkedHashMap<>();
      before.forEach(
          (name, value) -> {
            switch (random.nextInt(6)) {
              case 0 -> deleted.append(name, BsonBoolean.FALSE);
              case 1 -> after.append(name, changed(updated, name));
              case 2 -> inserted.append(name, value(2)); // moves to the end
              case 3 -> after.append(name, within(name, value, within));
              default -> after.append(name, value);
            }
          });
      for (int i = random.nextInt(3); i > 0; i--) {
        inserted.append("f" + names++, value(2));
      }
      after.putAll(inserted);
      BsonDocument diff = new BsonDocument();
      addUnlessEmpty(diff, "d", deleted);
      addUnlessEmpty(diff, "u", updated);
      addUnlessEmpty(diff, "i", inserted);
      within.forEach((name, inner) -> diff.append("s" + name, inner));
      return diff;
    }

    private static void addUnlessEmpty(BsonDocument diff, String section, BsonDocument fields) {
      if (!fields.isEmpty()) {
        diff.append(section, fields);
      }
    }

    private BsonValue changed(BsonDocument updated, String name) {
      BsonValue value = value(2);
      updated.append(name, value);
      return value;
    }

    private BsonValue within(String name, BsonValue value, Map<String, BsonDocument> within) {
      if (value.isDocument()) {
        BsonDocument after = new BsonDocument();
        within.put(name, edit(value.asDocument(), after));
        return after;
      }
      if (value.isArray()) {
        List<BsonValue> after = new ArrayList<>();
        within.put(name, edit(value.asArray(), after));
        return new BsonArray(after);
      }
      return value;
    }

    private BsonDocument edit(BsonArray before, List<BsonValue> after) {
      BsonDocument diff = new BsonDocument("a", BsonBoolean.TRUE);
      int length = random.nextInt(before.size() + 3);
      if (length != before.size() || random.nextBoolean()) {
        diff.append("l", new BsonInt32(length));
      }
      for (int i = 0; i < length; i++) {
        if (i >= before.size() || random.nextInt(3) == 0) {
          BsonValue value = value(2);
          diff.append("u" + i, value);
          after.add(value);
        } else if (random.nextInt(3) == 0) {
          Map<String, BsonDocument> within = new LinkedHashMap<>();
          BsonValue value = within("", before.get(i), within);
          if (!within.isEmpty()) {
            diff.append("s" + i, within.get(""));
          }
          after.add(value);
        } else {
          after.add(before.get(i));
        }
      }
      return diff;
    }
  }
}
