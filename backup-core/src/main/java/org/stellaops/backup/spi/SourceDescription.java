package org.stellaops.backup.spi;

import java.util.EnumSet;
import java.util.Set;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Stage;

/**
 * What a source is, known without I/O.
 *
 * @param kind format of its artifacts
 * @param component which part of a system it is, unless the plan says otherwise
 * @param stage its place among other sources
 * @param after sources of the same plan that must be captured first
 * @param kinds the kinds of capture it can do
 */
public record SourceDescription(
    SourceKind kind,
    Component component,
    Stage stage,
    Set<SourceName> after,
    Set<CaptureKind> kinds) {
  public SourceDescription {
    after = Set.copyOf(after);
    kinds = Set.copyOf(kinds);
  }

  /** A source that is always captured in full. */
  public static SourceDescription of(String kind, Component component, Stage stage) {
    return new SourceDescription(
        SourceKind.of(kind), component, stage, Set.of(), EnumSet.of(CaptureKind.FULL));
  }

  /** The same, able to build on an earlier capture. */
  public SourceDescription incremental() {
    return new SourceDescription(kind, component, stage, after, EnumSet.allOf(CaptureKind.class));
  }

  /** The same, captured after those. */
  public SourceDescription after(SourceName... names) {
    return new SourceDescription(kind, component, stage, Set.of(names), kinds);
  }
}
