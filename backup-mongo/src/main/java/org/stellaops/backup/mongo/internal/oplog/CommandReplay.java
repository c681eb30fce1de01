package org.stellaops.backup.mongo.internal.oplog;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;

/** Does what commands of an oplog did: to the server where it has to be, else to definitions. */
final class CommandReplay {
  /** Error codes of the server (mongo, src/mongo/base/error_codes.yml). */
  private static final int NAMESPACE_NOT_FOUND = 26;

  private static final int NAMESPACE_EXISTS = 48;
  private static final String BUCKETS = "system.buckets.";

  /** What {@code create} says in an oplog and takes from nobody. */
  private static final Set<String> NOT_AN_OPTION = Set.of("create", "uuid", "idIndex", "temp");

  private final ReplayServer server;
  private final OplogSelection selection;
  private final Definitions definitions;
  private final ReplaySettings settings;

  CommandReplay(ReplayServer server, Definitions definitions, ReplaySettings settings) {
    this.server = server;
    this.selection = settings.selection();
    this.definitions = definitions;
    this.settings = settings;
  }

  /**
   * Does it.
   *
   * @param isDone whether an earlier attempt has done it to the server, so that only definitions
   *     follow
   */
  void replay(Operation operation, boolean isDone) throws IOException, OplogException {
    BsonDocument o = operation.o().forDriver();
    switch (operation.command()) {
      case Commands.RENAME -> rename(operation, isDone);
      case Commands.DROP_DATABASE -> dropDatabase(operation, isDone);
      default -> {
        if (!Commands.OF_A_COLLECTION.contains(operation.command())) {
          throw EntryFilter.unknown(operation);
        }
        ofCollection(operation, operation.namespace(), o, isDone);
      }
    }
  }

  private Namespace target(Namespace name) {
    return selection.target(name).orElseThrow();
  }

  /**
   * @param name that it has in the oplog, by which definitions are known
   */
  private void ofCollection(Operation operation, Namespace name, BsonDocument o, boolean isDone)
      throws IOException, OplogException {
    switch (operation.command()) {
      case "create" -> create(operation, name, o, isDone);
      case "drop" -> drop(operation, name, isDone);
      case "createIndexes" -> createIndexes(name, o);
      case "commitIndexBuild" ->
          o.getArray("indexes").forEach(i -> definitions.createIndex(plain(name), i.asDocument()));
      case "dropIndexes", "deleteIndexes", "dropIndex", "deleteIndex" ->
          definitions.dropIndex(plain(name), o.containsKey("index") ? o.get("index") : ALL);
      case "collMod" -> collMod(operation, name, o, isDone);
      default -> throw EntryFilter.unknown(operation);
    }
  }

  private static final BsonValue ALL = new BsonString("*");

  private void create(Operation operation, Namespace name, BsonDocument o, boolean isDone)
      throws IOException {
    if (name.collection().equals("system.views")) {
      return; // comes with the first view
    }
    boolean isTimeSeries = name.collection().startsWith(BUCKETS);
    BsonDocument options = new BsonDocument();
    o.forEach(
        (field, value) -> {
          boolean isImplied =
              isTimeSeries && (field.equals("validator") || field.equals("clusteredIndex"));
          if (!NOT_AN_OPTION.contains(field) && !isImplied) {
            options.append(field, value);
          }
        });
    Namespace made = plain(name);
    definitions.create(made, isTimeSeries ? "timeseries" : "collection", options);
    idIndex(o).ifPresent(i -> definitions.createIndex(made, i));
    if (!isDone) {
      Namespace to = target(made);
      settings.journal().creating(to);
      BsonDocument command = new BsonDocument("create", new BsonString(to.collection()));
      command.putAll(options);
      run(operation, to, to.database(), command, NAMESPACE_EXISTS);
    }
  }

  /** As a server lists it. */
  private static Optional<BsonDocument> idIndex(BsonDocument o) {
    BsonValue clustered = o.get("clusteredIndex");
    if (clustered != null && clustered.isDocument() && !o.containsKey("timeseries")) {
      BsonDocument index = new BsonDocument();
      index.putAll(clustered.asDocument());
      return Optional.of(index.append("clustered", BsonBoolean.TRUE));
    }
    BsonValue id = o.get("idIndex");
    return id != null && id.isDocument() && id.asDocument().containsKey("name")
        ? Optional.of(id.asDocument())
        : Optional.empty();
  }

  /** Of the buckets of a time series the time series. */
  private static Namespace plain(Namespace name) {
    return name.collection().startsWith(BUCKETS)
        ? new Namespace(name.database(), name.collection().substring(BUCKETS.length()))
        : name;
  }

  private void drop(Operation operation, Namespace name, boolean isDone) throws IOException {
    if (name.collection().equals("system.views")) {
      return;
    }
    definitions.drop(plain(name));
    if (!isDone) {
      drop(operation, target(plain(name)));
    }
  }

  private void drop(Operation operation, Namespace to) throws IOException {
    BsonDocument command = new BsonDocument("drop", new BsonString(to.collection()));
    run(operation, to, to.database(), command, NAMESPACE_NOT_FOUND);
  }

  private void createIndexes(Namespace name, BsonDocument o) {
    if (o.containsKey("indexes")) {
      o.getArray("indexes").forEach(i -> definitions.createIndex(plain(name), i.asDocument()));
      return;
    }
    BsonDocument index = new BsonDocument();
    index.putAll(o);
    index.remove("createIndexes");
    definitions.createIndex(plain(name), index);
  }

  private void collMod(Operation operation, Namespace name, BsonDocument o, boolean isDone)
      throws IOException {
    Namespace made = plain(name);
    BsonDocument options = new BsonDocument();
    options.putAll(o);
    options.remove("collMod");
    BsonValue index = options.remove("index");
    definitions.modify(made, options, index == null ? new BsonDocument() : index.asDocument());
    if (!isDone && !options.isEmpty()) {
      Namespace to = target(made);
      BsonDocument command = new BsonDocument("collMod", new BsonString(to.collection()));
      command.putAll(options);
      run(operation, to, to.database(), command, NAMESPACE_NOT_FOUND);
    }
  }

  /** One of collections that are not restored is nobody's business. */
  void requireNoRename(Operation operation) throws OplogException {
    RawDocument o = operation.o();
    Namespace source = Operation.parse(o.first().string());
    Namespace renamed = Operation.parse(o.get("to").string());
    if (selection.holds(source) && selection.holds(renamed)) {
      throw new OplogException(
          MongoFailure.OPLOG_RENAMED,
          "entry %s of the oplog renames %s to %s while they were captured"
              .formatted(OplogTimes.text(operation.ts()), source, renamed));
    }
  }

  private void rename(Operation operation, boolean isDone) throws IOException, OplogException {
    RawDocument o = operation.o();
    Namespace source = Operation.parse(o.first().string());
    Namespace renamed = Operation.parse(o.get("to").string());
    Optional<Namespace> from = selection.target(source);
    Optional<Namespace> to = selection.target(renamed);
    if (from.isPresent() != to.isPresent()) {
      throw new OplogException(
          MongoFailure.OPLOG_RENAMED_ACROSS,
          "entry %s of the oplog renames %s, of which only one is restored"
              .formatted(OplogTimes.text(operation.ts()), o));
    }
    if (from.isEmpty() || to.isEmpty()) {
      return;
    }
    definitions.rename(source, renamed);
    if (!isDone) {
      settings.journal().creating(to.get());
      BsonDocument command =
          new BsonDocument(Commands.RENAME, new BsonString(from.get().toString()))
              .append("to", new BsonString(to.get().toString()))
              .append("dropTarget", BsonBoolean.valueOf(o.isTrue("dropTarget")));
      run(operation, from.get(), "admin", command, NAMESPACE_NOT_FOUND);
    }
  }

  /** Collections were dropped one by one before; the marker of the restore stays. */
  private void dropDatabase(Operation operation, boolean isDone) throws IOException {
    Namespace any = new Namespace(operation.database(), "x");
    String database = selection.target(any).orElse(any).database();
    definitions.dropDatabase(operation.database());
    if (isDone) {
      return;
    }
    try {
      for (String name : server.names(database)) {
        Namespace to = new Namespace(database, name);
        if (!name.equals(RestoreMarker.COLLECTION) && selection.mayHold(to)) {
          drop(operation, to);
        }
      }
    } catch (MongoException e) {
      throw failed(operation, any, e);
    }
  }

  /** Where it may have been done before, what it finds done is no failure. */
  private void run(
      Operation operation, Namespace name, String database, BsonDocument command, int done)
      throws IOException {
    try {
      server.run(database, command);
    } catch (MongoException e) {
      boolean isTolerant = operation.ts().compareTo(settings.tolerantUntil()) <= 0;
      boolean isHarmless = done == NAMESPACE_EXISTS ? isTolerant : true;
      if (e.getCode() != done || !isHarmless) {
        throw failed(operation, name, e);
      }
    }
  }

  private static IOException failed(Operation operation, Namespace name, MongoException e) {
    return DriverErrors.target(
        MongoFailure.REPLAY_FAILED,
        "replay entry %s of the oplog, %s on %s"
            .formatted(OplogTimes.text(operation.ts()), operation.command(), name),
        e);
  }
}
