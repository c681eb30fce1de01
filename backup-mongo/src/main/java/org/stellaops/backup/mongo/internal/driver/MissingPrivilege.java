package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.MongoCommandException;
import com.mongodb.MongoException;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A privilege that a role lacks.
 *
 * @param action as {@code grantPrivilegesToRole} takes it: {@code find}
 * @param resource {@code issuers.keys}, {@code issuers}, or {@code cluster}
 */
public record MissingPrivilege(String action, String resource) {
  /** {@code not authorized on issuers to execute command { find: "keys", …} } (mongo, auth). */
  private static final Pattern SAID =
      Pattern.compile(
          "not authorized on (\\S+) to execute command \\{ ?\"?(\\w+)\"?: (?:\"([^\"]*)\")?");

  /** Commands whose action has another name, or is on the cluster. */
  private static final Map<String, String> ACTIONS =
      Map.of(
          "aggregate", "find",
          "count", "find",
          "getMore", "find",
          "fsyncUnlock", "unlock",
          "create", "createCollection",
          "createIndexes", "createIndex",
          "delete", "remove");

  private static final Pattern ON_CLUSTER = Pattern.compile("fsync|fsyncUnlock|getParameter");

  /** What the server said was missing; empty where it did not say. */
  public static Optional<MissingPrivilege> of(MongoException e) {
    if (!(e instanceof MongoCommandException command)) {
      return Optional.empty();
    }
    Matcher said = SAID.matcher(command.getErrorMessage());
    return said.find()
        ? Optional.of(of(said.group(2), said.group(1), said.group(3)))
        : Optional.empty();
  }

  private static MissingPrivilege of(String command, String database, @Nullable String collection) {
    String action = ACTIONS.getOrDefault(command, command);
    if (ON_CLUSTER.matcher(command).matches()) {
      return new MissingPrivilege(action, "cluster");
    }
    return new MissingPrivilege(
        action, collection == null ? database : database + "." + collection);
  }

  @Override
  public String toString() {
    return action + " on " + resource;
  }
}
