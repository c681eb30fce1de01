package org.stellaops.backup.mongo.internal.restore;

import java.util.Optional;

/**
 * One rule by which namespaces get other names: {@code issuers.*} to {@code drill.*}. A value.
 *
 * @param from a pattern of {@code database.collection}
 * @param to with as many stars
 */
public record Renaming(NamePattern from, NamePattern to) {
  public Renaming {
    if (from.stars() != to.stars()) {
      throw new IllegalArgumentException(
          "%s has %d stars and %s has %d".formatted(from, from.stars(), to, to.stars()));
    }
  }

  /** What a namespace is called by this rule; empty where the rule is not about it. */
  Optional<String> rename(String namespace) {
    return from.rewrite(namespace, to);
  }

  @Override
  public String toString() {
    return from + "=" + to;
  }
}
