package org.stellaops.backup.mongo.internal.oplog;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bson.BsonTimestamp;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * What some entries make of documents, each document once: what comes later takes the place of what
 * came before, and a document is fetched only where nothing says the whole of it. One thread.
 */
final class ReplayBatch {
  private final Map<Namespace, Map<RawDocument, Pending>> documents = new LinkedHashMap<>();
  private final Map<Namespace, Namespace> sources = new HashMap<>();
  private long bytes;
  private int size;

  boolean isEmpty() {
    return documents.isEmpty();
  }

  /** Of all that was added. */
  long bytes() {
    return bytes;
  }

  int size() {
    return size;
  }

  /** Takes an insert, an update or a delete. */
  void add(Namespace target, Operation operation) {
    RawDocument id = Ids.of(operation.id());
    Map<RawDocument, Pending> ofCollection =
        documents.computeIfAbsent(target, n -> new LinkedHashMap<>());
    sources.put(target, operation.namespace());
    // What changed last is written last, which tells where ids of other types are equal.
    Pending pending = ofCollection.remove(id);
    if (pending == null) {
      pending = new Pending(target, id);
    }
    ofCollection.put(id, pending);
    pending.take(operation);
    bytes += operation.raw().length();
    size++;
  }

  /**
   * The documents, collection by collection, in parts that may be written at once. What stands in
   * one part is in order.
   */
  List<List<Pending>> parts(int partitions, Definitions definitions) {
    List<List<Pending>> parts = new ArrayList<>();
    documents.forEach(
        (namespace, ofCollection) -> {
          int count =
              definitions.isCapped(sources.getOrDefault(namespace, namespace)) ? 1 : partitions;
          List<List<Pending>> own = new ArrayList<>();
          for (int i = 0; i < count; i++) {
            own.add(new ArrayList<>());
          }
          ofCollection.values().forEach(p -> own.get(Ids.partition(p.id, count)).add(p));
          own.stream().filter(p -> !p.isEmpty()).forEach(parts::add);
        });
    return parts;
  }

  void clear() {
    documents.clear();
    sources.clear();
    bytes = 0;
    size = 0;
  }

  /** What becomes of one document. */
  static final class Pending {
    final Namespace namespace;
    final RawDocument id;
    private final List<RawDocument> updates = new ArrayList<>();
    private boolean isKnown;
    private @Nullable RawDocument document;
    private @Nullable BsonTimestamp missing;
    private BsonTimestamp ts = new BsonTimestamp();

    Pending(Namespace namespace, RawDocument id) {
      this.namespace = namespace;
      this.id = id;
    }

    private void take(Operation operation) {
      ts = operation.ts();
      switch (operation.kind()) {
        case INSERT -> put(operation.o());
        case DELETE -> put(null);
        default -> update(operation.o());
      }
    }

    private void put(@Nullable RawDocument whole) {
      isKnown = true;
      document = whole;
      updates.clear();
    }

    private void update(RawDocument o) {
      if (DocumentUpdate.isReplacement(o)) {
        put(o);
      } else if (isKnown) {
        change(o);
      } else {
        updates.add(o);
      }
    }

    private void change(RawDocument o) {
      RawDocument before = document;
      if (before == null) {
        missing = ts;
      } else {
        document = DocumentUpdate.apply(before, o);
      }
    }

    /** Of the last entry that changed it. */
    BsonTimestamp ts() {
      return ts;
    }

    /** Whether only the document that is there tells what it becomes. */
    boolean isFetched() {
      return !isKnown;
    }

    /** What stands in the server, where it had to be fetched. */
    void found(@Nullable RawDocument stored) {
      isKnown = true;
      document = stored;
      updates.forEach(this::change);
      updates.clear();
    }

    /** What to write. */
    ReplayServer.Change change() {
      return new ReplayServer.Change(ts, id, Optional.ofNullable(document));
    }

    /** Whether it was to be changed, and was not there. */
    boolean isMissing() {
      return missing != null;
    }

    /** Fails if it was to be changed behind a place and was not there. */
    void requireThere(BsonTimestamp tolerantUntil) throws OplogException {
      BsonTimestamp at = missing;
      if (at != null && at.compareTo(tolerantUntil) > 0) {
        throw new OplogException(
            MongoFailure.REPLAY_DIVERGED,
            "entry %s of the oplog changes a document of %s that is not there: %s"
                .formatted(OplogTimes.text(at), namespace, Ids.text(id)));
      }
    }
  }
}
