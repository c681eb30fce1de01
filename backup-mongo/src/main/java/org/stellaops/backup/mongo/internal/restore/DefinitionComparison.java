package org.stellaops.backup.mongo.internal.restore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;

/**
 * How a collection differs from the one that was captured, documents aside. Pure.
 *
 * @param missing what is not there at all: the restore failed
 * @param different what is there in another form: perhaps another server version's
 * @param indexesMissing names of captured indexes that are not there
 * @param indexesExtra names of indexes that are there and were not captured
 * @param conflicts what makes it impossible that both were one: kind, options, and indexes that
 *     have one name and are not the same
 */
public record DefinitionComparison(
    List<String> missing,
    List<String> different,
    List<String> indexesMissing,
    List<String> indexesExtra,
    List<String> conflicts) {
  /** Set by servers as they like: name space of an old server, and the format on disk. */
  private static final Set<String> NOT_COMPARED = Set.of("ns", "v", "background");

  /** Compares two. */
  public static DefinitionComparison of(CollectionSpec expected, CollectionSpec found) {
    DefinitionComparison result =
        new DefinitionComparison(
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>());
    if (!expected.type().equals(found.type())) {
      String kinds = "expected a %s, found a %s".formatted(expected.type(), found.type());
      result.missing.add(kinds);
      result.conflicts.add(kinds);
    }
    result.compareOptions(expected.options(), found.options());
    result.compareIndexes(byName(expected), byName(found));
    return result;
  }

  private void compareOptions(BsonDocument expected, BsonDocument found) {
    Set<String> names = new TreeSet<>(expected.keySet());
    names.addAll(found.keySet());
    names.remove("autoIndexId");
    for (String name : names) {
      addIfDifferent("option " + name, expected.get(name), found.get(name));
    }
  }

  private void compareIndexes(Map<String, BsonDocument> expected, Map<String, BsonDocument> found) {
    for (Map.Entry<String, BsonDocument> index : expected.entrySet()) {
      BsonDocument other = found.get(index.getKey());
      if (other == null) {
        missing.add("index " + index.getKey() + " is missing");
        indexesMissing.add(index.getKey());
      } else {
        compareIndex(index.getKey(), index.getValue(), other);
      }
    }
    for (String name : found.keySet()) {
      if (!expected.containsKey(name)) {
        different.add("index " + name + " was not captured");
        indexesExtra.add(name);
      }
    }
  }

  private void compareIndex(String index, BsonDocument expected, BsonDocument found) {
    Set<String> names = new TreeSet<>(expected.keySet());
    names.addAll(found.keySet());
    names.removeAll(NOT_COMPARED);
    for (String name : names) {
      addIfDifferent("index " + index + ", " + name, expected.get(name), found.get(name));
    }
  }

  private void addIfDifferent(
      String what, @Nullable BsonValue expected, @Nullable BsonValue found) {
    if (!isSame(expected, found)) {
      String difference = "%s: expected %s, found %s".formatted(what, expected, found);
      different.add(difference);
      conflicts.add(difference);
    }
  }

  /**
   * Equal with the order of keys, which {@code BsonDocument.equals} does not look at and which is
   * the meaning of an index; and with numbers of any type, since a server may keep 1 where it was
   * told 1.0.
   */
  private static boolean isSame(@Nullable BsonValue a, @Nullable BsonValue b) {
    if (a == null || b == null) {
      return a == b;
    }
    if (a.isDocument() && b.isDocument()) {
      return List.copyOf(a.asDocument().keySet()).equals(List.copyOf(b.asDocument().keySet()))
          && isSame(List.copyOf(a.asDocument().values()), List.copyOf(b.asDocument().values()));
    }
    if (a.isArray() && b.isArray()) {
      return isSame(a.asArray().getValues(), b.asArray().getValues());
    }
    if (a.isNumber() && b.isNumber()) {
      return a.asNumber().doubleValue() == b.asNumber().doubleValue();
    }
    return a.equals(b);
  }

  private static boolean isSame(List<BsonValue> a, List<BsonValue> b) {
    boolean isSame = a.size() == b.size();
    for (int i = 0; isSame && i < a.size(); i++) {
      isSame = isSame(a.get(i), b.get(i));
    }
    return isSame;
  }

  private static Map<String, BsonDocument> byName(CollectionSpec spec) {
    Map<String, BsonDocument> indexes = new HashMap<>();
    for (BsonDocument index : spec.indexes()) {
      indexes.put(index.getString("name").getValue(), index);
    }
    return indexes;
  }
}
