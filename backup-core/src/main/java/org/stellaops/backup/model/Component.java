package org.stellaops.backup.model;

/** Which part of a system a source is: an open set of names, {@code [A-Za-z0-9._-]{1,120}}. */
public record Component(String value) implements Comparable<Component> {
  public static final Component DATABASE = new Component("database");
  public static final Component EVIDENCE = new Component("evidence");
  public static final Component CONFIG = new Component("config");
  public static final Component SECRETS = new Component("secrets");
  public static final Component KEYS = new Component("attestation-keys");
  public static final Component SEEDS = new Component("seeds");

  public Component {
    Label.require("component", value);
  }

  /** The component written as {@code value}. */
  public static Component of(String value) {
    return new Component(value);
  }

  @Override
  public int compareTo(Component other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
