package org.stellaops.backup.mongo.internal.restore;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;

/**
 * Definitions of views when what they are made of gets other names: {@code viewOn}, and the
 * collections that {@code $lookup}, {@code $graphLookup} and {@code $unionWith} read, however deep.
 * What names another database is left as it is and told.
 */
final class ViewRewriting {
  private static final Set<String> READING_FROM = Set.of("$lookup", "$graphLookup");
  private static final String UNION = "$unionWith";

  private final String archived;
  private final String database;
  private final Map<String, String> names;
  private final List<Finding> findings = new ArrayList<>();

  /**
   * @param names what collections are called now by what they were called; those that are not
   *     restored are not among them
   */
  ViewRewriting(String archived, String database, Map<String, String> names) {
    this.archived = archived;
    this.database = database;
    this.names = names;
  }

  List<Finding> findings() {
    return List.copyOf(findings);
  }

  CollectionSpec rewrite(CollectionSpec spec) {
    if (!spec.isView()) {
      return spec;
    }
    BsonDocument options = new BsonDocument();
    spec.options()
        .forEach(
            (option, value) -> {
              switch (option) {
                case "viewOn" -> options.append(option, name(spec, value));
                case "pipeline" -> options.append(option, rewritten(spec, value));
                default -> options.append(option, value);
              }
            });
    return spec.withOptions(options);
  }

  private BsonValue rewritten(CollectionSpec view, BsonValue value) {
    if (value.isArray()) {
      BsonArray array = new BsonArray();
      value.asArray().forEach(v -> array.add(rewritten(view, v)));
      return array;
    }
    if (!value.isDocument()) {
      return value;
    }
    BsonDocument document = new BsonDocument();
    value.asDocument().forEach((key, v) -> document.append(key, stage(view, key, v)));
    return document;
  }

  private BsonValue stage(CollectionSpec view, String key, BsonValue value) {
    if (key.equals(UNION) && value.isString()) {
      return name(view, value);
    }
    BsonValue deep = rewritten(view, value);
    if (!deep.isDocument()) {
      return deep;
    }
    BsonDocument stage = deep.asDocument();
    String field = key.equals(UNION) ? "coll" : READING_FROM.contains(key) ? "from" : "";
    BsonValue from = field.isEmpty() ? null : stage.get(field);
    if (from != null && !stage.containsKey("db")) {
      stage.put(field, name(view, from));
    } else if (from != null) {
      report(view, "%s reads another database: %s".formatted(key, stage.get("db")));
    }
    return stage;
  }

  private BsonValue name(CollectionSpec view, BsonValue value) {
    if (!value.isString()) {
      boolean isRenamed =
          !archived.equals(database)
              || names.entrySet().stream().anyMatch(n -> !n.getKey().equals(n.getValue()));
      if (isRenamed) {
        report(view, "reads %s, which is left as it was".formatted(value));
      }
      return value;
    }
    String was = value.asString().getValue();
    String now = names.get(was);
    if (now == null) {
      report(view, "reads %s, which is not restored".formatted(was));
      return value;
    }
    return new BsonString(now);
  }

  private void report(CollectionSpec view, String what) {
    findings.add(new Finding(MongoFailure.VIEW_NOT_REWRITTEN, database + "." + view.name(), what));
  }
}
