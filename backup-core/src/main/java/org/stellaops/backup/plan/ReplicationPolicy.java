package org.stellaops.backup.plan;

import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** In how many places a snapshot has to be, and what has to differ between them. Immutable. */
public final class ReplicationPolicy {
  private final int copies;
  private final @Nullable String distinct;

  private ReplicationPolicy(int copies, @Nullable String distinct) {
    this.copies = copies;
    this.distinct = distinct;
  }

  /**
   * In so many stores, the primary among them.
   *
   * @param copies at least 1
   */
  public static ReplicationPolicy copies(int copies) {
    if (copies < 1) {
      throw new IllegalArgumentException("%d copies, expected at least 1".formatted(copies));
    }
    return new ReplicationPolicy(copies, null);
  }

  /**
   * The stores have to differ in this label of their traits, such as {@code region}. All that do
   * not have it count as one.
   */
  public ReplicationPolicy distinct(String label) {
    return new ReplicationPolicy(copies, label);
  }

  /** How many, the primary among them. */
  public int copies() {
    return copies;
  }

  /** In which label they differ. */
  public Optional<String> distinct() {
    return Optional.ofNullable(distinct);
  }

  /**
   * How many of these places count.
   *
   * @param places the labels of each store that holds something
   */
  public int counted(Collection<Map<String, String>> places) {
    String label = distinct;
    if (label == null) {
      return places.size();
    }
    Set<String> values = new HashSet<>();
    places.forEach(p -> values.add(p.getOrDefault(label, "")));
    return values.size();
  }

  /** Whether these places are enough. */
  public boolean isMetBy(Collection<Map<String, String>> places) {
    return counted(places) >= copies;
  }

  @Override
  public String toString() {
    return copies + " copies" + (distinct == null ? "" : " of distinct " + distinct);
  }
}
