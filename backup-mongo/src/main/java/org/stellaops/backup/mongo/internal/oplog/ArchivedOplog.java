package org.stellaops.backup.mongo.internal.oplog;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bson.BsonTimestamp;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * Looks at the oplog of an archive while the archive passes: from where to where it goes, and
 * whether it makes one state of what was read while others wrote.
 *
 * <p>What mongodump writes with {@code --oplog} begins with an entry that was there before anything
 * was read, and ends with the newest one when everything was (mongo-tools,
 * mongodump/oplog_dump.go): so it is never empty, it stands behind all documents, and its entries
 * ascend. Where one of these does not hold, nobody can tell whether all that is needed is there.
 * One thread.
 */
public final class ArchivedOplog {
  private static final int MOST_CREATED = 1_000;

  private final Set<String> announced;
  private final Map<String, Namespace> created = new LinkedHashMap<>();
  private @Nullable BsonTimestamp first;
  private BsonTimestamp last = new BsonTimestamp(0, 0);
  private @Nullable String obstacle;

  /**
   * @param announced databases of the archive
   */
  public ArchivedOplog(Set<String> announced) {
    this.announced = Set.copyOf(announced);
  }

  /** Documents of a collection pass, or its end does. */
  public void collection(Namespace namespace) {
    if (first != null) {
      stop("it stands before documents of %s, so it may end too early".formatted(namespace));
    }
  }

  /** An entry passes. */
  public void entry(byte[] buffer, int offset, int length) {
    if (obstacle != null) {
      return;
    }
    try {
      take(OplogEntry.of(new RawDocument(buffer, offset, length).copied()));
    } catch (OplogException | IllegalArgumentException e) {
      stop("behind %s: %s".formatted(OplogTimes.text(last), e.getMessage()));
    }
  }

  private void take(OplogEntry entry) throws OplogException {
    if (entry.ts().compareTo(last) <= 0) {
      stop(
          "entry %s stands behind entry %s"
              .formatted(OplogTimes.text(entry.ts()), OplogTimes.text(last)));
      return;
    }
    first = first == null ? entry.ts() : first;
    last = entry.ts();
    look(entry.operation());
  }

  private void look(Operation operation) throws OplogException {
    if (operation.isApplyOps()) {
      for (Operation part : operation.parts()) {
        look(part);
      }
    } else {
      made(operation).ifPresent(this::created);
    }
  }

  /** The collection that comes to be, if none was there before. */
  private static Optional<Namespace> made(Operation operation) {
    if (operation.kind() == Operation.Kind.INSERT) {
      return Optional.of(operation.namespace());
    }
    return switch (operation.command()) {
      case "create" -> Optional.of(operation.namespace());
      case Commands.RENAME -> Optional.of(Operation.parse(operation.o().get("to").string()));
      default -> Optional.empty();
    };
  }

  private void created(Namespace namespace) {
    String database = namespace.database();
    if (announced.contains(database) || OplogSelection.OWN.contains(database)) {
      return;
    }
    created.putIfAbsent(database, namespace);
    if (created.size() > MOST_CREATED) {
      stop("it creates more than %d databases".formatted(MOST_CREATED));
    }
  }

  private void stop(String why) {
    obstacle = obstacle == null ? why : obstacle;
  }

  /** Why it makes no one state of the archive; empty if it does. To be asked at the end. */
  public Optional<String> obstacle() {
    return obstacle == null && first == null
        ? Optional.of("it is empty, and mongodump's has at least the entry that it began with")
        : Optional.ofNullable(obstacle);
  }

  /** What is to be remembered of it, where there is no obstacle. */
  public BroughtOplog value() {
    if (first == null) {
      throw new IllegalStateException("no entry has passed");
    }
    return new BroughtOplog(first, last, List.copyOf(created.values()));
  }
}
