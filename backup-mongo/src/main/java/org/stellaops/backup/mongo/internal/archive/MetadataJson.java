package org.stellaops.backup.mongo.internal.archive;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.json.JsonMode;
import org.bson.json.JsonWriterSettings;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Options and indexes as the text in an archive's prelude: what a directory dump has in {@code
 * x.metadata.json} (mongo-tools, mongodump/metadata_dump.go). Written as canonical Extended JSON
 * v2; read in whatever form older tools wrote.
 */
public final class MetadataJson {
  private static final JsonWriterSettings CANONICAL =
      JsonWriterSettings.builder().outputMode(JsonMode.EXTENDED).build();

  /** A server nests 200 deep at most; the parser recurses, and the text is a stranger's. */
  private static final int MAX_DEPTH = 250;

  private static final Set<String> KNOWN_TYPES =
      Set.of(CollectionSpec.COLLECTION, CollectionSpec.VIEW, CollectionSpec.TIMESERIES);

  private MetadataJson() {}

  /** The text for one collection. */
  public static String write(CollectionSpec spec) {
    BsonDocument metadata = new BsonDocument();
    if (!spec.options().isEmpty()) {
      metadata.append("options", spec.options());
    }
    metadata.append("indexes", new BsonArray(spec.indexes()));
    if (!spec.uuid().isEmpty()) {
      metadata.append("uuid", new BsonString(spec.uuid()));
    }
    metadata.append("collectionName", new BsonString(spec.name()));
    metadata.append("type", new BsonString(spec.type()));
    return metadata.toJson(CANONICAL);
  }

  /**
   * What an entry of a prelude says about its collection.
   *
   * @throws BackupException.Corrupt if its text is not what mongodump writes
   */
  public static CollectionSpec parse(Prelude.Entry entry) throws BackupException.Corrupt {
    requireShallow(entry);
    try {
      BsonDocument metadata =
          entry.metadata().isEmpty() ? new BsonDocument() : BsonDocument.parse(entry.metadata());
      BsonDocument options = metadata.getDocument("options", new BsonDocument());
      List<BsonDocument> indexes =
          metadata.getArray("indexes", new BsonArray()).stream()
              .map(BsonValue::asDocument)
              .toList();
      String uuid = metadata.getString("uuid", new BsonString("")).getValue();
      return requireKnown(
          new CollectionSpec(
              entry.namespace().collection(),
              type(entry, options),
              options,
              indexes,
              uuid.toLowerCase(Locale.ROOT)));
    } catch (RuntimeException e) { // the parser's own family is as wide as this
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "metadata of %s is not what mongodump writes: %s"
              .formatted(entry.namespace(), e.getClass().getSimpleName()),
          e);
    }
  }

  /**
   * Holds a definition that no checksum covers to the least that makes it one: everything else is
   * the server's to refuse.
   */
  private static CollectionSpec requireKnown(CollectionSpec spec) throws BackupException.Corrupt {
    boolean isMadeOfSomething = !spec.isView() || isString(spec.options(), "viewOn");
    if (!KNOWN_TYPES.contains(spec.type())
        || !isMadeOfSomething
        || !spec.indexes().stream().allMatch(MetadataJson::isIndex)) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s is announced as a '%s', and its definition is none"
              .formatted(spec.name(), spec.type()));
    }
    return spec;
  }

  private static boolean isIndex(BsonDocument index) {
    BsonValue key = index.get("key");
    return isString(index, "name") && key != null && key.isDocument();
  }

  private static boolean isString(BsonDocument document, String field) {
    BsonValue value = document.get(field);
    return value != null && value.isString();
  }

  /** Archives from before MongoDB 4.4 do not say. */
  private static String type(Prelude.Entry entry, BsonDocument options) {
    if (!entry.type().isEmpty()) {
      return entry.type();
    }
    return options.containsKey("viewOn") ? CollectionSpec.VIEW : CollectionSpec.COLLECTION;
  }

  private static void requireShallow(Prelude.Entry entry) throws BackupException.Corrupt {
    int depth = 0;
    boolean isQuoted = false;
    String text = entry.metadata();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\') {
        i++;
      } else if (c == '"') {
        isQuoted = !isQuoted;
      } else if (!isQuoted && (c == '{' || c == '[')) {
        depth++;
      } else if (!isQuoted && (c == '}' || c == ']')) {
        depth--;
      }
      if (depth > MAX_DEPTH) {
        throw new BackupException.Corrupt(
            CoreFailure.MALFORMED,
            "metadata of %s nests more than %d deep".formatted(entry.namespace(), MAX_DEPTH));
      }
    }
  }
}
