package org.stellaops.backup.plan;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.Component;

/** What a plan adds to a source. Used while the plan is built, by one thread. */
public final class SourceSettings {
  private boolean mayFail;
  private @Nullable Component component;

  SourceSettings() {}

  /** If this source fails, the snapshot exists without it, with the outcome PARTIAL. */
  public SourceSettings mayFail() {
    mayFail = true;
    return this;
  }

  /** The part of the system that this source is, instead of what it says itself. */
  public SourceSettings component(Component component) {
    this.component = component;
    return this;
  }

  boolean isAllowedToFail() {
    return mayFail;
  }

  Optional<Component> component() {
    return Optional.ofNullable(component);
  }
}
