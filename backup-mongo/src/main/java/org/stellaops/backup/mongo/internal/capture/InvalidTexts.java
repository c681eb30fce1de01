package org.stellaops.backup.mongo.internal.capture;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;

/** Documents with text that is not UTF-8: a server stores them, and so do we, as they are. */
final class InvalidTexts {
  private static final int MAX_NAMED = 10;

  private final Map<String, List<String>> named = new TreeMap<>();
  private final Map<String, Long> counts = new TreeMap<>();

  /**
   * Adds some of one collection.
   *
   * @param ids of the first of them
   */
  void add(String namespace, long documents, List<String> ids) {
    if (documents > 0) {
      counts.merge(namespace, documents, Long::sum);
      List<String> all = named.computeIfAbsent(namespace, n -> new ArrayList<>());
      ids.stream().limit(MAX_NAMED - all.size()).forEach(all::add);
    }
  }

  /** One for each collection that has any. */
  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    counts.forEach(
        (namespace, documents) ->
            findings.add(
                new Finding(
                    MongoFailure.TEXT_NOT_UTF8,
                    namespace,
                    "%d documents hold text that is not UTF-8, _id %s"
                        .formatted(
                            documents,
                            String.join(", ", named.getOrDefault(namespace, List.of()))))));
    return findings;
  }
}
