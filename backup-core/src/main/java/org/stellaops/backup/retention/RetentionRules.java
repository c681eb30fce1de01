package org.stellaops.backup.retention;

import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.RetentionPolicy;

/**
 * Which policy decides over which captures: a source's own, else its component's, else the one for
 * all others. Immutable; each method gives a new value.
 */
public final class RetentionRules {
  private static final Duration A_DAY = Duration.ofDays(1);
  private static final Duration A_YEAR = Duration.ofDays(366);

  private final SortedMap<SourceName, RetentionPolicy> sources;
  private final SortedMap<Component, RetentionPolicy> components;
  private final RetentionPolicy others;
  private final Duration minimumAge;

  private RetentionRules(
      Map<SourceName, RetentionPolicy> sources,
      Map<Component, RetentionPolicy> components,
      RetentionPolicy others,
      Duration minimumAge) {
    this.sources = Collections.unmodifiableSortedMap(new TreeMap<>(sources));
    this.components = Collections.unmodifiableSortedMap(new TreeMap<>(components));
    this.others = others;
    this.minimumAge = minimumAge;
  }

  /** One policy for everything, and a minimum age of a day. */
  public static RetentionRules of(RetentionPolicy policy) {
    return new RetentionRules(Map.of(), Map.of(), policy, A_DAY);
  }

  /**
   * What the platform's runbook asks for: databases 30 days, to any instant of which a recorded
   * stream leads back; evidence and configuration 90 days, secrets 30 days, attestation keys a
   * year, be it a leap year. Nobody spoke about other components: they are kept.
   */
  public static RetentionRules runbook() {
    return of(Retention.everything())
        .component(Component.DATABASE, Retention.recoverableFor(Duration.ofDays(30)))
        .component(Component.EVIDENCE, Retention.keepFor(Duration.ofDays(90)))
        .component(Component.CONFIG, Retention.keepFor(Duration.ofDays(90)))
        .component(Component.SECRETS, Retention.keepFor(Duration.ofDays(30)))
        .component(Component.KEYS, Retention.keepFor(A_YEAR));
  }

  /** What the Issuer Directory asks for: 30 daily and 12 monthly archives of everything. */
  public static RetentionRules issuerDirectory() {
    return of(Retention.daily(30).and(Retention.monthly(12)));
  }

  /** The same with a policy for a component. */
  public RetentionRules component(Component component, RetentionPolicy policy) {
    Map<Component, RetentionPolicy> changed = new TreeMap<>(components);
    changed.put(component, policy);
    return new RetentionRules(sources, changed, others, minimumAge);
  }

  /** The same with a policy for a source, which takes the place of its component's. */
  public RetentionRules source(SourceName source, RetentionPolicy policy) {
    Map<SourceName, RetentionPolicy> changed = new TreeMap<>(sources);
    changed.put(source, policy);
    return new RetentionRules(changed, components, others, minimumAge);
  }

  /** The same with another policy for what has none of its own. */
  public RetentionRules others(RetentionPolicy policy) {
    return new RetentionRules(sources, components, policy, minimumAge);
  }

  /**
   * The same with another minimum age: nothing younger is released, whatever else is asked for.
   *
   * @param age may be zero, for none
   */
  public RetentionRules minimumAge(Duration age) {
    if (age.isNegative()) {
      throw new IllegalArgumentException("minimum age must not be negative, found " + age);
    }
    return new RetentionRules(sources, components, others, age);
  }

  /** The policy that decides over the captures of a source. */
  public RetentionPolicy policy(SourceName source, Component component) {
    RetentionPolicy own = sources.get(source);
    return own != null ? own : components.getOrDefault(component, others);
  }

  /** Nothing younger is released. */
  public Duration minimumAge() {
    return minimumAge;
  }

  /** The same minimum age, and one policy for everything. */
  RetentionRules only(RetentionPolicy policy) {
    return new RetentionRules(Map.of(), Map.of(), policy, minimumAge);
  }

  /** A line for each rule. */
  public String describe() {
    StringBuilder text = new StringBuilder();
    sources.forEach(
        (s, p) ->
            text.append("source ").append(s).append(": keep ").append(p.describe()).append('\n'));
    components.forEach(
        (c, p) ->
            text.append("component ")
                .append(c)
                .append(": keep ")
                .append(p.describe())
                .append('\n'));
    text.append("others: keep ").append(others.describe()).append('\n');
    return text.append("nothing younger than ")
        .append(Retention.text(minimumAge))
        .append(" is released\n")
        .toString();
  }

  @Override
  public String toString() {
    return describe();
  }
}
