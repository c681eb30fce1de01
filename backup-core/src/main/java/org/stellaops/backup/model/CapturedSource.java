package org.stellaops.backup.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Header and contents of one captured source: reading it needs an identity.
 *
 * @param header what is readable without an identity
 * @param artifacts in the order of capture
 * @param inventory what was captured, counted
 * @param witnesses heads of chains that were seen
 * @param versions of server, schema, tool
 * @param properties what the source wanted to be remembered, for example {@code
 *     consistency=SNAPSHOT}
 */
public record CapturedSource(
    CaptureHeader header,
    List<CapturedArtifact> artifacts,
    List<InventoryItem> inventory,
    List<Witness> witnesses,
    Map<String, String> versions,
    Map<String, String> properties) {
  public CapturedSource {
    artifacts = List.copyOf(artifacts);
    inventory = List.copyOf(inventory);
    witnesses = List.copyOf(witnesses);
    versions = Map.copyOf(versions);
    properties = Map.copyOf(properties);
  }

  /** The artifact of this name. */
  public Optional<CapturedArtifact> artifact(ArtifactName name) {
    return artifacts.stream().filter(a -> a.name().equals(name)).findFirst();
  }
}
