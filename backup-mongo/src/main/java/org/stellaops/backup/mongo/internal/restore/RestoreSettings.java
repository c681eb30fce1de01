package org.stellaops.backup.mongo.internal.restore;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.MongoTarget.DropPolicy;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.MongoTarget.UsersAndRoles;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * How an archive is put into a database. A value.
 *
 * @param existing what to do with what is there
 * @param drop which collections make room
 * @param renamings rules by which namespaces are renamed; the first that fits counts
 * @param included collections that are restored; none means all
 * @param excluded collections that are not
 * @param parallelism batches on their way at a time
 * @param keepsReplaced whether what was replaced stays under other names
 * @param pace how large batches are
 * @param scope what of an archive
 */
public record RestoreSettings(
    Existing existing,
    DropPolicy drop,
    List<Renaming> renamings,
    List<NamePattern> included,
    List<NamePattern> excluded,
    int parallelism,
    boolean keepsReplaced,
    Pace pace,
    Scope scope) {
  private static final int DEFAULT_PARALLELISM = 4;
  private static final int MAX_PARALLELISM = 64;

  /**
   * How large batches are.
   *
   * @param batchBytes of one; a document that is larger is a batch of its own
   * @param batchDocuments of one
   */
  public record Pace(int batchBytes, int batchDocuments) {
    /** What a server takes in one message, and what it does not hold others up with. */
    public static final Pace DEFAULT = new Pace(4 << 20, 5_000);
  }

  /**
   * What of an archive is restored.
   *
   * @param databases that are; none means all
   * @param from the one that a single restore is of; empty where the archive has only one
   * @param users what becomes of users and roles; null where they are left alone
   */
  public record Scope(List<String> databases, String from, @Nullable UsersAndRoles users) {
    /** Everything but users and roles. */
    static final Scope ALL = new Scope(List.of(), "", null);

    public Scope {
      databases = List.copyOf(databases);
    }
  }

  public RestoreSettings {
    renamings = List.copyOf(renamings);
    included = List.copyOf(included);
    excluded = List.copyOf(excluded);
    if (parallelism < 1 || parallelism > MAX_PARALLELISM) {
      throw new IllegalArgumentException("parallelism from 1 to 64, got " + parallelism);
    }
  }

  /** Everything under its name, into an empty database. */
  public static RestoreSettings of(Existing existing) {
    return new RestoreSettings(
        existing,
        DropPolicy.LISTED,
        List.of(),
        List.of(),
        List.of(),
        DEFAULT_PARALLELISM,
        false,
        Pace.DEFAULT,
        Scope.ALL);
  }

  /** With another answer to what is there. */
  public RestoreSettings existing(Existing other) {
    return new RestoreSettings(
        other, drop, renamings, included, excluded, parallelism, keepsReplaced, pace, scope);
  }

  /** With other collections making room. */
  public RestoreSettings drop(DropPolicy other) {
    return new RestoreSettings(
        existing, other, renamings, included, excluded, parallelism, keepsReplaced, pace, scope);
  }

  /** With another rule, behind the others. */
  public RestoreSettings renaming(Renaming another) {
    return new RestoreSettings(
        existing,
        drop,
        joined(renamings, List.of(another)),
        included,
        excluded,
        parallelism,
        keepsReplaced,
        pace,
        scope);
  }

  /** With these, too. */
  public RestoreSettings including(String... patterns) {
    return new RestoreSettings(
        existing,
        drop,
        renamings,
        joined(included, patterns(patterns)),
        excluded,
        parallelism,
        keepsReplaced,
        pace,
        scope);
  }

  /** Without these. */
  public RestoreSettings excluding(String... patterns) {
    return new RestoreSettings(
        existing,
        drop,
        renamings,
        included,
        joined(excluded, patterns(patterns)),
        parallelism,
        keepsReplaced,
        pace,
        scope);
  }

  /** With so many batches on their way. */
  public RestoreSettings parallelism(int batches) {
    return new RestoreSettings(
        existing, drop, renamings, included, excluded, batches, keepsReplaced, pace, scope);
  }

  /** With what was replaced staying. */
  public RestoreSettings keepingReplaced() {
    return new RestoreSettings(
        existing, drop, renamings, included, excluded, parallelism, true, pace, scope);
  }

  /** With batches of another size. */
  public RestoreSettings pace(Pace other) {
    return new RestoreSettings(
        existing, drop, renamings, included, excluded, parallelism, keepsReplaced, other, scope);
  }

  /** With these databases of the archive, too. */
  public RestoreSettings only(String... databases) {
    List<String> all = joined(scope.databases(), List.of(databases));
    all.forEach(Namespace::requireDatabase);
    return scope(new Scope(all, scope.from(), scope.users()));
  }

  /** With one database of the archive. */
  public RestoreSettings from(String archived) {
    return scope(new Scope(scope.databases(), archived, scope.users()));
  }

  /** With users and roles. */
  public RestoreSettings users(UsersAndRoles how) {
    return scope(new Scope(scope.databases(), scope.from(), how));
  }

  private RestoreSettings scope(Scope other) {
    return new RestoreSettings(
        existing, drop, renamings, included, excluded, parallelism, keepsReplaced, pace, other);
  }

  private static List<NamePattern> patterns(String... texts) {
    return Stream.of(texts).map(NamePattern::new).toList();
  }

  private static <T> List<T> joined(List<T> some, List<T> more) {
    return Stream.concat(some.stream(), more.stream()).toList();
  }

  /** Whether a database of the archive is restored. */
  public boolean isWanted(String archived) {
    return scope.databases().isEmpty() || scope.databases().contains(archived);
  }

  /** The database that a collection of the archive goes to, by the rules alone. */
  public String databaseOf(Namespace archived) {
    return renamed(archived).map(RestoreSettings::database).orElse(archived.database());
  }

  private Optional<String> renamed(Namespace archived) {
    return renamings.stream().flatMap(r -> r.rename(archived.toString()).stream()).findFirst();
  }

  private static String database(String namespace) {
    int dot = namespace.indexOf('.');
    return dot < 0 ? namespace : namespace.substring(0, dot);
  }

  /** Whether a collection of the archive is restored. */
  public boolean isSelected(String collection) {
    return (included.isEmpty() || included.stream().anyMatch(p -> p.matches(collection)))
        && excluded.stream().noneMatch(p -> p.matches(collection));
  }

  /**
   * The name that a collection of the archive gets.
   *
   * @throws BackupException.Target if a rule leads to another database or to no name at all
   */
  public String nameOf(Namespace archived, String database) throws BackupException.Target {
    Optional<String> renamed = renamed(archived);
    if (renamed.isEmpty()) {
      return archived.collection();
    }
    String into = database(renamed.get());
    if (!into.equals(database)) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE,
          "%s would become %s, expected a collection of database %s"
              .formatted(archived, renamed.get(), database));
    }
    return requireName(
        archived,
        database,
        renamed.get().substring(Math.min(into.length() + 1, renamed.get().length())));
  }

  private static String requireName(Namespace archived, String database, String name)
      throws BackupException.Target {
    try {
      return new Namespace(database, name).collection();
    } catch (IllegalArgumentException e) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE, "renaming %s: %s".formatted(archived, e.getMessage()), e);
    }
  }

  /**
   * Digest of what is restored and how: only a restore of the same may go on with another.
   *
   * @param point up to which is replayed; empty if nobody asked for one
   */
  public String identity(CapturedSource captured, String database, String point) {
    StringBuilder text = new StringBuilder(database);
    if (!point.isEmpty()) {
      text.append("\npoint=").append(point);
    }
    captured.artifacts().forEach(a -> text.append('\n').append(a.name()).append(a.plain()));
    describe().forEach((key, value) -> text.append('\n').append(key).append('=').append(value));
    return Digest.ofContent(text.toString().getBytes(StandardCharsets.UTF_8)).hex();
  }

  /** What enters the digest of a plan. */
  public Map<String, String> describe() {
    Map<String, String> described = new TreeMap<>(Map.of("existing", existing.name()));
    if (existing == Existing.REPLACE || existing == Existing.SHADOW) {
      described.put("drop", drop.name());
      described.put("keep-replaced", Boolean.toString(keepsReplaced));
    }
    put(described, "rename", renamings);
    put(described, "include", included);
    put(described, "exclude", excluded);
    put(described, "only", scope.databases());
    put(described, "from", scope.from().isEmpty() ? List.of() : List.of(scope.from()));
    put(described, "users", scope.users() == null ? List.of() : List.of(scope.users()));
    return described;
  }

  private static void put(Map<String, String> described, String key, List<?> values) {
    if (!values.isEmpty()) {
      described.put(key, String.join(",", values.stream().map(Object::toString).toList()));
    }
  }
}
