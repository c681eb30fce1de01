package org.stellaops.backup.mongo.internal.restore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.oplog.BroughtOplog;

/**
 * One database of an archive, and the one that it goes to.
 *
 * @param database that it goes to
 * @param settings for this one only
 */
public record ArchivePart(String database, RestoreSettings settings) {
  /** A server keeps itself in there. */
  private static final Set<String> NEVER = Set.of("", "local", "config");

  /**
   * The only one that is restored, into a database.
   *
   * @throws BackupException.Target if several are to become one
   */
  public static List<ArchivePart> into(String database, RestoreSettings settings)
      throws BackupException.Target {
    List<String> wanted = settings.scope().databases();
    if (wanted.size() > 1) {
      throw notRestorable("%s would all become database %s".formatted(wanted, database));
    }
    RestoreSettings one = wanted.isEmpty() ? settings : settings.from(wanted.get(0));
    return List.of(new ArchivePart(database, one));
  }

  /**
   * All that are wanted, each where the rules lead or under its name.
   *
   * @throws BackupException.Target if one that is wanted is not there, or two would become one
   */
  public static List<ArchivePart> all(CapturedSource captured, RestoreSettings settings)
      throws BackupException.Target {
    Map<String, Set<String>> leads = new TreeMap<>();
    List<Namespace> all = namespaces(captured);
    all.addAll(createdByOplog(captured));
    for (Namespace namespace : all) {
      String archived = namespace.database();
      boolean isPart =
          settings.isWanted(archived)
              && !NEVER.contains(archived)
              && !CapturedArchive.isTheServersOwn(namespace)
              && settings.isSelected(namespace.collection());
      if (isPart) {
        leads.computeIfAbsent(archived, d -> new TreeSet<>()).add(settings.databaseOf(namespace));
      }
    }
    requireThere(settings.scope().databases(), leads.keySet());
    List<ArchivePart> parts = new ArrayList<>();
    Map<String, String> taken = new HashMap<>();
    for (Map.Entry<String, Set<String>> lead : leads.entrySet()) {
      String into = single(lead.getKey(), lead.getValue());
      String other = taken.put(into, lead.getKey());
      if (other != null) {
        throw notRestorable("%s and %s would both become %s".formatted(other, lead.getKey(), into));
      }
      parts.add(new ArchivePart(into, settings.from(lead.getKey())));
    }
    return parts;
  }

  /** Of each database that came to be while the others were read. */
  private static List<Namespace> createdByOplog(CapturedSource captured) {
    boolean isRegistered = captured.header().span().isEmpty();
    return isRegistered && BroughtOplog.isOf(captured.properties())
        ? BroughtOplog.of(captured.properties()).created()
        : List.of();
  }

  /** What an archive of several holds and no restore of all of it puts anywhere. */
  public static List<String> leftOut(CapturedSource captured) {
    boolean isReplayed = BroughtOplog.isOf(captured.properties());
    return namespaces(captured).stream()
        .filter(n -> !isReplayed || !n.equals(Namespace.OPLOG))
        .filter(n -> NEVER.contains(n.database()) || CapturedArchive.isTheServersOwn(n))
        .map(Namespace::toString)
        .toList();
  }

  private static List<Namespace> namespaces(CapturedSource captured) {
    List<Namespace> namespaces = new ArrayList<>();
    for (InventoryItem item : captured.inventory()) {
      int dot = item.name().indexOf('.');
      if (dot >= 0) {
        namespaces.add(
            new Namespace(item.name().substring(0, dot), item.name().substring(dot + 1)));
      }
    }
    return namespaces;
  }

  private static void requireThere(List<String> wanted, Set<String> found)
      throws BackupException.Target {
    List<String> missing = wanted.stream().filter(w -> !found.contains(w)).toList();
    if (!missing.isEmpty() || found.isEmpty()) {
      throw notRestorable(
          "archive holds no collections of %s that could be restored, only of %s"
              .formatted(missing.isEmpty() ? "any database" : missing, found));
    }
  }

  private static String single(String archived, Set<String> into) throws BackupException.Target {
    if (into.size() > 1) {
      throw notRestorable("collections of %s would go to several: %s".formatted(archived, into));
    }
    return Namespace.requireDatabase(into.iterator().next());
  }

  private static BackupException.Target notRestorable(String why) {
    return new BackupException.Target(MongoFailure.NOT_RESTORABLE, why);
  }
}
