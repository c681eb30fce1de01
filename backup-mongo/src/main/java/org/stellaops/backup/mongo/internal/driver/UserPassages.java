package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.MongoException;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;

/**
 * Collections of {@code admin} that users and roles stand in while a restore puts them in place. A
 * process that is killed then leaves them, and in them what was kept of passwords.
 */
public final class UserPassages {
  private static final String PREFIX = "stella.backup.";
  private static final List<String> KINDS = List.of("users", "roles");
  private static final int MOST_NAMED = 20;

  private UserPassages() {}

  /**
   * Of one restore.
   *
   * @param kind {@code users} or {@code roles}
   * @param database that they are restored to
   */
  public static String name(String kind, String database) {
    return PREFIX + kind + "." + database;
  }

  /**
   * Those that are there and not of whoever asks. They are not dropped: another restore may be
   * using them at this moment. Who may not see them is not told of them, and nothing fails because
   * of them.
   *
   * @param admin the server's {@code admin}
   * @param own databases that whoever asks restores users to
   */
  public static Optional<Finding> left(RawDatabase admin, List<String> own) {
    try {
      List<String> left = admin.names().stream().filter(name -> isOne(name, own)).toList();
      return left.isEmpty()
          ? Optional.empty()
          : Optional.of(
              new Finding(
                  MongoFailure.USERS_LEFT,
                  admin.name(),
                  "%d collections: %s"
                      .formatted(
                          left.size(),
                          String.join(", ", left.subList(0, Math.min(MOST_NAMED, left.size()))))));
    } catch (MongoException e) {
      return Optional.empty();
    }
  }

  private static boolean isOne(String name, List<String> own) {
    return KINDS.stream()
        .anyMatch(
            kind ->
                name.startsWith(name(kind, ""))
                    && own.stream().noneMatch(database -> name.equals(name(kind, database))));
  }
}
