package org.stellaops.backup.mongo.internal.restore;

import com.mongodb.MongoCommandException;
import com.mongodb.MongoException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.restore.RestoreCommands.IndexKind;
import org.stellaops.backup.spi.RestoreSession;

/** Creates collections, indexes and views as they were, and compares them afterwards. */
final class RestoredDefinitions {
  private static final int DUPLICATE_KEY = 11000;
  private static final int NAMESPACE_EXISTS = 48;

  private final RawDatabase database;
  private final RestoreSession session;
  private final Retrying retrying;

  RestoredDefinitions(RawDatabase database, RestoreSession session) {
    this.database = database;
    this.session = session;
    this.retrying = new Retrying(session.stopping());
  }

  void create(CollectionSpec spec) throws IOException {
    run(spec, "create", RestoreCommands.create(spec));
  }

  void createIndexes(List<CollectionSpec> specs, IndexKind kind) throws IOException {
    for (CollectionSpec spec : specs) {
      Optional<BsonDocument> command = RestoreCommands.createIndexes(spec, Set.of(kind));
      if (command.isPresent()) {
        run(spec, "createIndexes", command.get());
      }
    }
  }

  /** Those that an earlier attempt made are made again. */
  void createViews(List<CollectionSpec> specs) throws IOException {
    List<CollectionSpec> views = RestoreCommands.viewsInOrder(specs);
    if (views.isEmpty()) {
      return;
    }
    List<String> there = retrying.call(number -> database.names());
    for (CollectionSpec view : views) {
      if (there.contains(view.name())) {
        retrying.call(number -> drop(view));
      }
      create(view);
    }
  }

  private CollectionSpec drop(CollectionSpec view) {
    database.drop(view.name());
    return view;
  }

  private void run(CollectionSpec spec, String what, BsonDocument command) throws IOException {
    session.stopping().check();
    try {
      retrying.call(number -> run(command, number));
    } catch (MongoException e) {
      session.stopping().check(); // a stop closes the connection, and is then the reason
      if (e.getCode() == DUPLICATE_KEY) {
        throw indexRefused(spec, e);
      }
      throw DriverErrors.target(
          MongoFailure.CREATE_FAILED, "%s of %s".formatted(what, name(spec)), e);
    }
  }

  /** What an attempt whose answer was lost has created is there when it is tried again. */
  private BsonDocument run(BsonDocument command, int number) {
    try {
      return database.run(command);
    } catch (MongoCommandException e) {
      if (number > 1 && e.getErrorCode() == NAMESPACE_EXISTS) {
        return e.getResponse();
      }
      throw e;
    }
  }

  private BackupException indexRefused(CollectionSpec spec, MongoException e) {
    String keys = "";
    if (e instanceof MongoCommandException command) {
      BsonDocument reply = command.getResponse();
      String index =
          spec.indexes().stream()
              .filter(i -> Objects.equals(i.get("key"), reply.get("keyPattern")))
              .map(i -> "index '%s', ".formatted(i.getString("name").getValue()))
              .findFirst()
              .orElse("");
      BsonValue value = reply.get("keyValue");
      keys = index + (value == null ? "" : "keys " + FailedDocuments.shown(value) + ": ");
    }
    return new BackupException.Target(
        MongoFailure.INDEX_REFUSED,
        "unique indexes of %s: %s%s".formatted(name(spec), keys, DriverErrors.describe(e)),
        e);
  }

  void compare(List<CollectionSpec> expected) throws IOException {
    Map<String, CollectionSpec> found = found();
    for (CollectionSpec spec : expected) {
      CollectionSpec restored = found.get(spec.name());
      if (restored == null) {
        throw new BackupException.Target(
            CoreFailure.CONTENT_DIFFERS, "%s is missing".formatted(name(spec)));
      }
      compare(spec, restored);
    }
  }

  private void compare(CollectionSpec expected, CollectionSpec restored)
      throws BackupException.Target {
    DefinitionComparison comparison = DefinitionComparison.of(expected, restored);
    if (!comparison.missing().isEmpty()) {
      throw new BackupException.Target(
          CoreFailure.CONTENT_DIFFERS,
          name(expected) + ": " + String.join("; ", comparison.missing()));
    }
    for (String difference : comparison.different()) {
      session.finding(new Finding(MongoFailure.DEFINITION_DIFFERS, name(expected), difference));
    }
  }

  /** Says what stands beside what was restored. */
  void tellOthers(List<CollectionSpec> restored) throws IOException {
    List<String> names = retrying.call(number -> database.names());
    Set<String> others = new TreeSet<>(names);
    restored.forEach(s -> others.remove(s.name()));
    others.removeIf(n -> n.equals(RestoreMarker.COLLECTION) || n.startsWith("stella.before."));
    if (!others.isEmpty()) {
      session.finding(
          new Finding(
              MongoFailure.LEFT_AS_IT_IS,
              database.name(),
              "not in the snapshot and not touched: " + String.join(", ", others)));
    }
  }

  private Map<String, CollectionSpec> found() throws IOException {
    return retrying.call(number -> database.collections()).stream()
        .collect(Collectors.toMap(CollectionSpec::name, Function.identity()));
  }

  private String name(CollectionSpec spec) {
    return database.name() + "." + spec.name();
  }
}
