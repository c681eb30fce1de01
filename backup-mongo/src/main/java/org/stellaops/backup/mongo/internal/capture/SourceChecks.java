package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.MongoException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.UserNamespaces;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.MissingPrivilege;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.driver.ServerFacts;
import org.stellaops.backup.spi.Checks;

/** Whether a capture would succeed, found out by trying a little of everything it does. */
public final class SourceChecks {
  /** Also of checks that are made before there is a connection. */
  public static final String CONNECTIVITY = "check.mongo.connectivity";

  private static final String PRIVILEGES = "check.mongo.privileges";
  private static final String DATABASE = "check.mongo.database";
  private static final String CONSISTENCY = "check.mongo.consistency";
  private static final String EXPECTED = "check.mongo.expected";

  private final RawDatabase database;
  private final CapturePolicy policy;
  private final Checks checks;

  /** Of a database whose client outlives the checks. */
  public SourceChecks(RawDatabase database, CapturePolicy policy, Checks checks) {
    this.database = database;
    this.policy = policy;
    this.checks = checks;
  }

  /**
   * Runs them; each needs the one before it.
   *
   * @param expected collections that have to be there
   */
  public void run(List<String> expected) throws BackupException.Stopped {
    String trying = CONNECTIVITY;
    try {
      ServerFacts server = database.server();
      checks.add(
          CheckResult.pass(
              CONNECTIVITY, "server %s, %s".formatted(server.version(), server.topology())));
      trying = PRIVILEGES;
      List<CollectionSpec> found = database.collectionsWithoutIndexes();
      checkPrivileges(found);
      checkDatabase(found);
      trying = CONSISTENCY;
      checkConsistency(server, found);
      checkExpected(found, expected);
    } catch (MongoException e) {
      checks.add(failed(trying, e));
    }
  }

  private CheckResult failed(String check, MongoException e) {
    boolean isDenied = DriverErrors.isDenied(e);
    MongoFailure failure =
        isDenied
            ? MongoFailure.NOT_PERMITTED
            : DriverErrors.isUnreachable(e) ? MongoFailure.UNREACHABLE : MongoFailure.SERVER_FAILED;
    String needed = isDenied ? ". needed is the role read on " + database.name() : "";
    return CheckResult.fail(
        check, DriverErrors.describe(e) + DriverErrors.missing(e) + needed, failure.remedy());
  }

  private void checkPrivileges(List<CollectionSpec> found) throws BackupException.Stopped {
    Set<String> missing = new TreeSet<>();
    for (CollectionSpec spec : found) {
      checks.stopping().check();
      if (!spec.isView()) {
        probe(database, spec.dataName()).ifPresent(missing::add);
        probe(database, new BsonDocument("listIndexes", new BsonString(spec.name())))
            .ifPresent(missing::add);
      }
    }
    if (policy.hasUsers()) {
      for (String collection : UserNamespaces.all()) {
        probe(database.sibling("admin"), collection).ifPresent(missing::add);
      }
    }
    checks.add(
        missing.isEmpty()
            ? CheckResult.pass(
                PRIVILEGES,
                "%d collections of %s can be read".formatted(found.size(), database.name()))
            : CheckResult.fail(
                PRIVILEGES,
                "missing privileges: " + String.join(", ", missing),
                MongoFailure.NOT_PERMITTED.remedy()));
  }

  /** One document's {@code _id}. */
  private static Optional<String> probe(RawDatabase of, String collection) {
    return probe(
        of,
        new BsonDocument("find", new BsonString(collection))
            .append("limit", new BsonInt32(1))
            .append("singleBatch", BsonBoolean.TRUE)
            .append("projection", new BsonDocument("_id", new BsonInt32(1))));
  }

  /** What a role would need; empty where it needs nothing. */
  private static Optional<String> probe(RawDatabase of, BsonDocument command) {
    try {
      of.run(command);
      return Optional.empty();
    } catch (MongoException e) {
      if (!DriverErrors.isDenied(e)) {
        throw e;
      }
      return Optional.of(
          MissingPrivilege.of(e)
              .map(MissingPrivilege::toString)
              .orElse(
                  "%s on %s.%s"
                      .formatted(
                          command.getFirstKey(),
                          of.name(),
                          command.getString(command.getFirstKey()).getValue())));
    }
  }

  private void checkDatabase(List<CollectionSpec> found) {
    if (found.isEmpty()) {
      checks.add(
          CheckResult.fail(
              DATABASE,
              "database %s has no collections, so it does not exist".formatted(database.name()),
              MongoFailure.UNKNOWN_DATABASE.remedy()));
    } else if (found.stream().anyMatch(c -> c.name().equals(RestoreMarker.COLLECTION))) {
      checks.add(
          CheckResult.fail(
              DATABASE,
              "database %s is what a restore left that did not end".formatted(database.name()),
              MongoFailure.UNFINISHED_RESTORE.remedy()));
    } else {
      checks.add(
          CheckResult.pass(
              DATABASE, "database %s has %d collections".formatted(database.name(), found.size())));
    }
  }

  private void checkConsistency(ServerFacts server, List<CollectionSpec> found) {
    if (found.isEmpty()) {
      return;
    }
    Ladder ladder = Ladder.of(server, policy, found);
    List<Consistency> levels = new ArrayList<>(ladder.levels());
    List<String> obstacles = new ArrayList<>(ladder.obstacles());
    List<String> unread = levels.contains(Consistency.OPLOG_FENCED) ? missingForFence() : List.of();
    if (!unread.isEmpty()) {
      levels.remove(Consistency.OPLOG_FENCED);
      obstacles.add("OPLOG_FENCED misses privileges: " + String.join(", ", unread));
    }
    String why = obstacles.isEmpty() ? "" : "; " + String.join("; ", obstacles);
    if (levels.isEmpty()) {
      checks.add(
          CheckResult.fail(
              CONSISTENCY,
              "what is required cannot be reached" + why,
              MongoFailure.CONSISTENCY_NOT_REACHED.remedy()));
    } else if (levels.get(0) == Consistency.NONE && !policy.isNoneAccepted()) {
      checks.add(
          CheckResult.warn(
              CONSISTENCY,
              "nothing would hold the collections together" + why,
              MongoFailure.NOTHING_HELD_TOGETHER.remedy()));
    } else {
      checks.add(CheckResult.pass(CONSISTENCY, levels.get(0) + " can be tried" + why));
    }
  }

  private List<String> missingForFence() {
    List<String> missing = new ArrayList<>();
    probe(database.sibling("local"), "oplog.rs").ifPresent(missing::add);
    probe(database.sibling("config"), "transactions").ifPresent(missing::add);
    return missing;
  }

  private void checkExpected(List<CollectionSpec> found, List<String> expected) {
    List<String> names = found.stream().map(CollectionSpec::name).toList();
    List<String> missing = expected.stream().filter(e -> !names.contains(e)).toList();
    if (!missing.isEmpty()) {
      checks.add(
          CheckResult.warn(
              EXPECTED,
              "not in database %s: %s".formatted(database.name(), String.join(", ", missing)),
              "create them, or take them out of the plan"));
    } else if (!expected.isEmpty()) {
      checks.add(CheckResult.pass(EXPECTED, "all %d are there".formatted(expected.size())));
    }
  }
}
