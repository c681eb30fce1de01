package org.stellaops.backup.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.spi.Form;

/** What a source handed over in one run of {@link CaptureHarness}. From any thread. */
public final class Captured {
  private final CapturedSource source;
  private final List<InventoryItem> expected;
  private final List<Finding> findings;
  private final Map<ArtifactName, Kept> kept;
  private final Map<ArtifactName, ArtifactBytes> remembered;
  private final @Nullable Captured parent;
  private final @Nullable Progress progress;

  Captured(
      CapturedSource source,
      List<InventoryItem> expected,
      List<Finding> findings,
      Map<ArtifactName, Kept> kept,
      Map<ArtifactName, ArtifactBytes> remembered,
      @Nullable Captured parent,
      @Nullable Progress progress) {
    this.source = source;
    this.expected = List.copyOf(expected);
    this.findings = List.copyOf(findings);
    this.kept = Map.copyOf(kept);
    this.remembered = Map.copyOf(remembered);
    this.parent = parent;
    this.progress = progress;
  }

  /** What a manifest would say of it: artifacts, inventory, span, witnesses, versions. */
  public CapturedSource source() {
    return source;
  }

  /** Names of the artifacts in the order of capture. */
  public List<ArtifactName> names() {
    return source.artifacts().stream().map(CapturedArtifact::name).toList();
  }

  /** What the source said should be captured. */
  public List<InventoryItem> expected() {
    return expected;
  }

  /** The source's findings, and one for each inventory that came out short. */
  public List<Finding> findings() {
    return findings;
  }

  /** The last progress that was told; empty if there was none. */
  public Optional<Progress> progress() {
    return Optional.ofNullable(progress);
  }

  /** The capture this one cannot be restored without; empty if it stands alone. */
  public Optional<Captured> parent() {
    return Optional.ofNullable(parent);
  }

  /** The full capture first, then its increments in order; the last is this one. */
  public List<Captured> chain() {
    List<Captured> chain = new ArrayList<>();
    for (Captured link = this; link != null; link = link.parent) {
      chain.add(0, link);
    }
    return chain;
  }

  /** How the source asked for the artifact to be cut and remembered. */
  public Form form(String artifact) {
    return kept(ArtifactName.of(artifact)).form();
  }

  /** Offsets behind which the source ended a chunk, ascending, each once. */
  public List<Long> boundaries(String artifact) {
    return kept(ArtifactName.of(artifact)).boundaries();
  }

  /** The plain bytes of an artifact, not verified. The caller closes. */
  public InputStream open(ArtifactName artifact) throws IOException {
    return kept(artifact).bytes().open();
  }

  /** The plain bytes of an artifact, in memory: for small ones. */
  public byte[] bytes(String artifact) throws IOException {
    try (InputStream in = open(ArtifactName.of(artifact))) {
      return in.readAllBytes();
    }
  }

  /** The file that holds an artifact; empty unless the harness spooled to a directory. */
  public Optional<Path> file(String artifact) {
    return kept(ArtifactName.of(artifact)).bytes().file();
  }

  /** Whether the writer's next run can read the artifact; false where there is no such artifact. */
  boolean isRemembered(ArtifactName artifact) {
    Kept it = kept.get(artifact);
    return it != null && it.form().isRemembered();
  }

  /** Whether the writer's next run can take the artifact over. */
  boolean isReusable(ArtifactName artifact) {
    Kept it = kept.get(artifact);
    return it != null && it.form().isReusable();
  }

  /** What the source remembered beside its artifacts; empty where there is no such thing. */
  Optional<InputStream> openRemembered(ArtifactName name) throws IOException {
    ArtifactBytes it = remembered.get(name);
    return it == null ? Optional.empty() : Optional.of(it.open());
  }

  Kept kept(ArtifactName artifact) {
    Kept it = kept.get(artifact);
    if (it == null) {
      throw new IllegalArgumentException("no artifact %s among %s".formatted(artifact, names()));
    }
    return it;
  }

  @Override
  public String toString() {
    return source.header().source() + " " + names();
  }

  /** One artifact beside what the manifest says of it. */
  record Kept(Form form, List<Long> boundaries, ArtifactBytes bytes) {
    Kept {
      boundaries = List.copyOf(boundaries);
    }
  }
}
