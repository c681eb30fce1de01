package org.stellaops.backup.mongo.internal.restore;

import com.mongodb.MongoCommandException;
import com.mongodb.MongoException;
import com.mongodb.MongoInterruptedException;
import com.mongodb.client.MongoCursor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.MongoTarget.UsersAndRoles;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.MissingPrivilege;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RefusedInsert;
import org.stellaops.backup.spi.RestoreSession;

/**
 * Puts users and roles back, with what was kept of their passwords. As mongorestore does it: they
 * go into collections of {@code admin} for a moment, and the server takes them over from there
 * ({@code _mergeAuthzCollections}). It says nothing of those that it does not take, so they are
 * read back and compared.
 *
 * <p>What they are made of are secrets. A server may quote a command that it refuses, so nothing of
 * what it says about these is repeated, and no exception of the driver is a cause.
 */
final class RestoredUsers {
  private static final int BATCH_BYTES = 8 << 20;

  /** Error code 11000, DuplicateKey (mongo, src/mongo/base/error_codes.yml). */
  private static final int DUPLICATE_KEY = 11000;

  private final RawDatabase admin;
  private final String database;
  private final RestoreSession session;
  private final UsersAndRoles how;
  private final AddedUsers added;
  private final Retrying retrying;

  RestoredUsers(RawDatabase database, RestoreSession session, UsersAndRoles how, AddedUsers added) {
    this.admin = database.sibling("admin");
    this.database = database.name();
    this.session = session;
    this.how = how;
    this.added = added;
    this.retrying = new Retrying(session.stopping());
  }

  /** Reads the archive once more, and puts what it has of them in place. */
  void restore(CapturedArchive archive) throws IOException {
    ArchivedUsers archived = new ArchivedUsers(archive, database, session.stopping());
    archive.read(archived);
    try {
      restore(archived);
    } catch (MongoInterruptedException e) {
      throw DriverErrors.target(CoreFailure.TARGET_FAILED, what(), e);
    } catch (MongoException e) {
      session.stopping().check(); // a stop closes the connection, and is then the reason
      throw failed(e);
    }
  }

  private void restore(ArchivedUsers archived) throws IOException {
    Map<UserKind, List<BsonDocument>> coming = new TreeMap<>();
    for (UserKind kind : UserKind.values()) {
      coming.put(kind, coming(kind, archived.of(kind)));
    }
    try {
      for (UserKind kind : UserKind.values()) {
        fill(kind, coming.getOrDefault(kind, List.of()));
      }
      merge();
    } finally {
      for (UserKind kind : UserKind.values()) {
        drop(kind.passage(database));
      }
    }
    for (UserKind kind : UserKind.values()) {
      compare(kind, coming.getOrDefault(kind, List.of()));
    }
    session.finding(
        new Finding(
            MongoFailure.USERS_RESTORED,
            database,
            "%d users and %d roles, %d and %d of them new"
                .formatted(
                    archived.of(UserKind.USER).size(),
                    archived.of(UserKind.ROLE).size(),
                    news(coming, UserKind.USER),
                    news(coming, UserKind.ROLE))));
  }

  private static int news(Map<UserKind, List<BsonDocument>> coming, UserKind kind) {
    return coming.getOrDefault(kind, List.of()).size();
  }

  /** What is sent: everything where it replaces, else what is not there. */
  private List<BsonDocument> coming(UserKind kind, Map<String, BsonDocument> wanted)
      throws IOException {
    Map<String, BsonDocument> there = there(kind);
    List<BsonDocument> coming = new ArrayList<>();
    for (Map.Entry<String, BsonDocument> one : wanted.entrySet()) {
      BsonDocument present = there.get(one.getKey());
      if (present == null) {
        added.add(kind, one.getValue());
      } else if (how == UsersAndRoles.ADD && !present.equals(one.getValue())) {
        tellKept(kind, one.getKey());
      }
      if (present == null || how == UsersAndRoles.REPLACE) {
        coming.add(one.getValue());
      }
    }
    return coming;
  }

  private void tellKept(UserKind kind, String id) {
    session.finding(
        new Finding(
            MongoFailure.USER_KEPT, id, "a %s of this name is there".formatted(kind.field())));
  }

  private Map<String, BsonDocument> there(UserKind kind) throws IOException {
    BsonDocument ofDatabase = new BsonDocument("db", new BsonString(database));
    return retrying.call(
        number -> {
          Map<String, BsonDocument> there = new LinkedHashMap<>();
          try (MongoCursor<RawBsonDocument> found =
              admin.sorted(kind.collection(), ofDatabase, new BsonDocument())) {
            found.forEachRemaining(d -> there.put(d.getString("_id").getValue(), d));
          }
          return there;
        });
  }

  private void fill(UserKind kind, List<BsonDocument> documents) throws IOException {
    drop(kind.passage(database));
    List<RawBsonDocument> batch = new ArrayList<>();
    int bytes = 0;
    for (BsonDocument document : documents) {
      RawBsonDocument raw = new RawBsonDocument(document, new BsonDocumentCodec());
      int size = raw.getByteBuffer().remaining();
      if (!batch.isEmpty() && bytes + size > BATCH_BYTES) {
        insert(kind, batch);
        batch.clear();
        bytes = 0;
      }
      batch.add(raw);
      bytes += size;
    }
    if (!batch.isEmpty()) {
      insert(kind, batch);
    }
  }

  /** Those that an attempt whose answer was lost has inserted are there already. */
  private void insert(UserKind kind, List<RawBsonDocument> batch) throws IOException {
    List<RefusedInsert> refused =
        retrying.call(number -> admin.insert(kind.passage(database), batch, false, false));
    Optional<RefusedInsert> other =
        refused.stream().filter(r -> r.code() != DUPLICATE_KEY).findFirst();
    if (other.isPresent()) {
      throw new BackupException.Target(
          MongoFailure.INSERT_FAILED,
          "%s: %d of %d %ss were refused, the first with code %d"
              .formatted(what(), refused.size(), batch.size(), kind.field(), other.get().code()));
    }
  }

  private void drop(String collection) throws IOException {
    retrying.call(
        number -> {
          admin.drop(collection);
          return collection;
        });
  }

  /** Bears being done twice. */
  private void merge() throws IOException {
    if (how == UsersAndRoles.REPLACE) {
      added.replacing();
    }
    BsonDocument command = new BsonDocument("_mergeAuthzCollections", new BsonInt32(1));
    for (UserKind kind : UserKind.values()) {
      command.append(kind.parameter(), new BsonString("admin." + kind.passage(database)));
    }
    command
        .append("drop", BsonBoolean.valueOf(how == UsersAndRoles.REPLACE))
        .append("db", new BsonString(database))
        .append("writeConcern", new BsonDocument("w", new BsonString("majority")));
    retrying.call(number -> admin.run(command));
  }

  private void compare(UserKind kind, List<BsonDocument> sent) throws IOException {
    Map<String, BsonDocument> there = there(kind);
    Set<String> wrong = new TreeSet<>();
    for (BsonDocument one : sent) {
      String id = one.getString("_id").getValue();
      if (!one.equals(there.remove(id))) {
        wrong.add(id);
      }
    }
    if (how == UsersAndRoles.REPLACE) {
      wrong.addAll(there.keySet());
    }
    if (!wrong.isEmpty()) {
      throw new BackupException.Target(
          CoreFailure.CONTENT_DIFFERS,
          "%s: expected the %ss that were captured, found others: %s"
              .formatted(what(), kind.field(), String.join(", ", wrong)));
    }
  }

  private String what() {
    return "users and roles of database " + database;
  }

  private BackupException failed(MongoException e) {
    boolean isDenied = DriverErrors.isDenied(e);
    String name = e instanceof MongoCommandException command ? command.getErrorCodeName() : "";
    String missing = MissingPrivilege.of(e).map(p -> ". missing privilege: " + p).orElse("");
    return new BackupException.Target(
        isDenied ? MongoFailure.NOT_PERMITTED : CoreFailure.TARGET_FAILED,
        "%s: server said %d %s%s%s"
            .formatted(
                what(),
                e.getCode(),
                name,
                isDenied ? missing : "",
                isDenied ? "; hint: the role restore on admin may do this" : ""));
  }
}
