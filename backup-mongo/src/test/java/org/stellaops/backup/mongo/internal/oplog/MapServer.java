package org.stellaops.backup.mongo.internal.oplog;

import com.mongodb.MongoCommandException;
import com.mongodb.ServerAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/** Collections in memory, and the commands that a replay needs. From any thread. */
final class MapServer implements ReplayServer {
  private final Map<String, Map<RawDocument, RawDocument>> collections = new TreeMap<>();
  private final List<String> commands = new ArrayList<>();

  /** Extended JSON of the documents, by id, of collections by name; empty ones too. */
  synchronized Map<String, List<String>> contents() {
    Map<String, List<String>> contents = new TreeMap<>();
    collections.forEach(
        (name, documents) ->
            contents.put(
                name, documents.values().stream().map(RawDocument::toString).sorted().toList()));
    return contents;
  }

  synchronized List<String> commands() {
    return List.copyOf(commands);
  }

  synchronized void put(String namespace, String document) {
    RawDocument raw = Entries.raw(document);
    collection(namespace).put(Ids.of(raw.get("_id")), raw);
  }

  private Map<RawDocument, RawDocument> collection(String namespace) {
    return collections.computeIfAbsent(namespace, n -> new LinkedHashMap<>());
  }

  @Override
  public synchronized Map<RawDocument, RawDocument> fetch(
      Namespace namespace, Collection<RawDocument> ids) {
    Map<RawDocument, RawDocument> found =
        new HashMap<>(collections.getOrDefault(namespace.toString(), Map.of()));
    found.keySet().retainAll(ids);
    return found;
  }

  @Override
  public synchronized void write(Namespace namespace, List<Change> changes) {
    for (Change change : changes) {
      if (change.document().isPresent()) {
        collection(namespace.toString()).put(change.id(), change.document().get());
      } else {
        collections.getOrDefault(namespace.toString(), new HashMap<>()).remove(change.id());
      }
    }
  }

  @Override
  public synchronized void run(String database, BsonDocument command) {
    commands.add(database + " " + command.toJson());
    String name = command.getFirstKey();
    String first = command.getString(name).getValue();
    switch (name) {
      case "create" -> {
        if (collections.containsKey(database + "." + first)) {
          throw refused(48, "NamespaceExists");
        }
        collection(database + "." + first);
      }
      case "drop" -> collections.remove(database + "." + first);
      case "renameCollection" -> {
        Map<RawDocument, RawDocument> moved = collections.remove(first);
        if (moved == null) {
          throw refused(26, "NamespaceNotFound");
        }
        collections.put(command.getString("to").getValue(), moved);
      }
      default -> {}
    }
  }

  @Override
  public synchronized List<String> names(String database) {
    return collections.keySet().stream()
        .filter(n -> n.startsWith(database + "."))
        .map(n -> n.substring(database.length() + 1))
        .toList();
  }

  private static MongoCommandException refused(int code, String name) {
    return new MongoCommandException(
        new BsonDocument("ok", new BsonDouble(0))
            .append("code", new BsonInt32(code))
            .append("codeName", new BsonString(name))
            .append("errmsg", new BsonString("in a test")),
        new ServerAddress());
  }
}
