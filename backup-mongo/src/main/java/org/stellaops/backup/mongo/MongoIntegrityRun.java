package org.stellaops.backup.mongo;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.bson.BsonArray;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.spi.Stopping;

/** One check of one database. */
final class MongoIntegrityRun {
  private static final int MAX_ERRORS = 5;

  /** Lists in the answer to {@code validate} that are empty where nothing is wrong. */
  private static final Map<String, String> COUNTED =
      new TreeMap<>(
          Map.of(
              "corruptRecords", "corrupt records",
              "extraIndexEntries", "extra index entries",
              "missingIndexEntries", "missing index entries"));

  private final MongoIntegrity asked;
  private final RawDatabase database;
  private final String prefix;
  private final Stopping stopping;
  private final List<Finding> findings = new ArrayList<>();
  private long collections;
  private long documents;

  MongoIntegrityRun(MongoIntegrity asked, RawDatabase database, String prefix, Stopping stopping) {
    this.asked = asked;
    this.database = database;
    this.prefix = prefix;
    this.stopping = stopping;
  }

  MongoIntegrityReport run() throws IOException {
    try {
      for (CollectionSpec spec : database.collections()) {
        boolean isAsked =
            spec.name().startsWith(prefix) && !spec.name().equals(RestoreMarker.COLLECTION);
        if (isAsked && !spec.isView()) {
          stopping.check();
          validate(spec);
        }
      }
    } catch (MongoException e) {
      stopping.check();
      throw DriverErrors.source("listing collections of " + database.name(), e);
    }
    for (MongoInvariant invariant : asked.invariants()) {
      stopping.check();
      ask(invariant);
    }
    return new MongoIntegrityReport(collections, documents, asked.invariants().size(), findings);
  }

  private void validate(CollectionSpec spec) {
    BsonDocument command = new BsonDocument("validate", new BsonString(spec.dataName()));
    if (asked.isFull()) {
      command.append("full", BsonBoolean.TRUE);
    }
    try {
      judge(spec, database.run(command));
    } catch (MongoException e) {
      notChecked(spec, DriverErrors.describe(e));
    }
  }

  private void judge(CollectionSpec spec, BsonDocument reply) {
    BsonValue valid = reply.get("valid");
    if (valid == null || !valid.isBoolean()) {
      notChecked(spec, "the server did not say whether it is valid");
      return;
    }
    collections++;
    BsonValue records = reply.get("nrecords");
    documents += records != null && records.isNumber() ? records.asNumber().longValue() : 0;
    List<String> damage = damage(reply);
    if (!valid.asBoolean().getValue() || !damage.isEmpty()) {
      List<String> all = new ArrayList<>(damage);
      all.add(said(reply, "errors"));
      all.removeIf(String::isEmpty);
      found(MongoFailure.INTEGRITY_BROKEN, spec.name(), "not valid: " + String.join("; ", all));
    } else if (!texts(reply, "warnings").isEmpty()) {
      notChecked(spec, "validated with warnings: " + said(reply, "warnings"));
    }
  }

  /** What a server counts beside what it says; entries of indexes may be many. */
  private static List<String> damage(BsonDocument reply) {
    List<String> damage = new ArrayList<>();
    COUNTED.forEach(
        (field, what) -> {
          int size = texts(reply, field).size();
          if (size > 0) {
            damage.add("%d %s".formatted(size, what));
          }
        });
    BsonValue details = reply.get("indexDetails");
    if (details instanceof BsonDocument indexes) {
      indexes.forEach(
          (name, detail) -> {
            if (detail instanceof BsonDocument index
                && BsonBoolean.FALSE.equals(index.get("valid"))) {
              damage.add("index " + name);
            }
          });
    }
    return damage;
  }

  private static String said(BsonDocument reply, String field) {
    return texts(reply, field).stream()
        .limit(MAX_ERRORS)
        .map(MongoIntegrityRun::text)
        .collect(Collectors.joining("; "));
  }

  private static String text(BsonValue value) {
    return value.isString() ? value.asString().getValue() : value.toString();
  }

  private static BsonArray texts(BsonDocument reply, String field) {
    BsonValue texts = reply.get(field);
    return texts != null && texts.isArray() ? texts.asArray() : new BsonArray();
  }

  /** An answer that does not come in time is a failure, and so is an error. */
  private void ask(MongoInvariant invariant) {
    String what = invariant.collection() + ", " + invariant.name();
    try {
      long found =
          database.count(
              prefix + invariant.collection(),
              invariant.filter(),
              Math.max(1, asked.toAnswer().toMillis()));
      if (found != invariant.expected()) {
        found(
            MongoFailure.INTEGRITY_BROKEN,
            what,
            "expected %d documents, found %d".formatted(invariant.expected(), found));
      }
    } catch (MongoException e) {
      found(
          MongoFailure.INTEGRITY_BROKEN,
          what,
          "expected %d documents, found no answer: %s"
              .formatted(invariant.expected(), DriverErrors.describe(e)));
    }
  }

  private void notChecked(CollectionSpec spec, String why) {
    found(MongoFailure.NOT_CHECKED, spec.name(), why);
  }

  private void found(MongoFailure code, String what, String found) {
    findings.add(new Finding(code, database.name() + "." + what, found));
  }
}
