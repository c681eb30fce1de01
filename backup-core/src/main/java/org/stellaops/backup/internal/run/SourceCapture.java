package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import org.stellaops.backup.internal.pipeline.ArtifactCapture;
import org.stellaops.backup.internal.pipeline.Cuts;
import org.stellaops.backup.internal.pipeline.PackPipeline;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Witness;
import org.stellaops.backup.plan.PlannedSource;
import org.stellaops.backup.spi.ArtifactBody;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.ParentCapture;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.Stopping;

/**
 * Takes what one source captures. Holds sealed copies of what is to be remembered until it is
 * closed.
 */
final class SourceCapture implements Captured, CaptureSession, Closeable {
  /** What a run has in common for all its sources. */
  record Shared(
      Attempt attempt,
      PackPipeline pipeline,
      List<Recipient> stateRecipients,
      Map<SourceName, CapturedSource> captured,
      WriterState before,
      ProgressMeter progress) {}

  private final Shared shared;
  private final PlannedSource planned;
  private final Optional<ParentCapture> parent;
  private final Instant began;
  private final Map<ArtifactName, Stored> artifacts = new LinkedHashMap<>();
  private final Set<ArtifactName> failed = new LinkedHashSet<>();
  private final Map<ArtifactName, SealedSpool> remembered = new LinkedHashMap<>();
  private final Map<ArtifactName, ObjectRef> storedCopies = new LinkedHashMap<>();
  private final List<SnapshotId> parents = new ArrayList<>();
  private Optional<CaptureSpan> span = Optional.empty();
  private final Map<String, String> versions = new TreeMap<>();
  private final Map<String, String> properties = new TreeMap<>();
  private final Map<String, InventoryItem> expected = new LinkedHashMap<>();
  private final Map<String, InventoryItem> inventory = new LinkedHashMap<>();
  private final List<Witness> witnesses = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();
  private boolean isBusy;
  private boolean isOver;

  private record Stored(
      CapturedArtifact artifact,
      Runs runs,
      long newBytes,
      Optional<Cuts> cuts,
      boolean isReusable) {}

  SourceCapture(Shared shared, PlannedSource planned) {
    this.shared = shared;
    this.planned = planned;
    this.parent = shared.before().parent(planned.name());
    this.began = clock().instant();
  }

  @Override
  public SourceName source() {
    return planned.name();
  }

  @Override
  public RunId run() {
    return shared.attempt().run();
  }

  @Override
  public InstantSource clock() {
    return shared.attempt().context().clock();
  }

  @Override
  public Executor executor() {
    return shared.attempt().context().executor();
  }

  @Override
  public Stopping stopping() {
    return shared.attempt().stopping();
  }

  @Override
  public CaptureKind requested() {
    CaptureKind asked = shared.attempt().request().kind();
    return planned.description().kinds().contains(asked) ? asked : CaptureKind.FULL;
  }

  @Override
  public Optional<ParentCapture> parent() {
    return parent;
  }

  @Override
  public Optional<CapturedSource> captured(SourceName earlier) {
    return Optional.ofNullable(shared.captured().get(earlier));
  }

  @Override
  public CapturedArtifact artifact(ArtifactName name, Form form, ArtifactBody body)
      throws IOException {
    requireNew(name);
    isBusy = true;
    failed.add(name);
    try {
      Stored stored =
          form.isRemembered()
              ? storeRemembered(name, form, body)
              : store(name, form, body, Optional.empty());
      artifacts.put(name, stored);
      failed.remove(name);
      return stored.artifact();
    } finally {
      isBusy = false;
    }
  }

  private void requireNew(ArtifactName name) {
    if (isBusy || isOver) {
      throw new IllegalStateException(
          isBusy
              ? "artifacts are captured one at a time: " + name
              : "capture has returned: " + name);
    }
    if (artifacts.containsKey(name)) {
      throw new IllegalStateException("artifact captured twice: " + name);
    }
  }

  /**
   * What the parent's snapshot says of them is said again: the digests stay, and the packs are
   * named by this snapshot, too.
   */
  @Override
  public boolean reuse(Map<ArtifactName, ArtifactName> parentNames) throws IOException {
    parentNames.keySet().forEach(this::requireNew);
    Map<ArtifactName, Stored> reused = new LinkedHashMap<>();
    for (Map.Entry<ArtifactName, ArtifactName> names : parentNames.entrySet()) {
      Optional<Stored> again = again(names.getKey(), names.getValue());
      if (again.isEmpty()) {
        return false;
      }
      reused.put(names.getKey(), again.get());
    }
    artifacts.putAll(reused);
    return true;
  }

  private Optional<Stored> again(ArtifactName name, ArtifactName inParent) throws IOException {
    Optional<CapturedArtifact> known = parent.flatMap(p -> p.captured().artifact(inParent));
    if (known.isEmpty()) {
      return Optional.empty();
    }
    CapturedArtifact same =
        new CapturedArtifact(name, known.get().plainBytes(), known.get().plain());
    Cuts cuts = shared.before().cuts(source(), inParent);
    return shared
        .before()
        .runs(source(), known.get())
        .map(runs -> new Stored(same, runs, 0, Optional.of(cuts), true));
  }

  @Override
  public void remember(ArtifactName name, ArtifactBody body) throws IOException {
    requireNew(name);
    if (remembered.containsKey(name)) {
      throw new IllegalStateException("remembered twice: " + name);
    }
    SealedSpool copy =
        new SealedSpool(shared.attempt().context().workspace(), shared.stateRecipients());
    boolean isWhole = false;
    try {
      body.writeTo(new SpoolOutput(copy, stopping()));
      remembered.put(name, copy);
      isWhole = true;
    } finally {
      if (!isWhole) {
        copy.close();
      }
    }
  }

  private Stored storeRemembered(ArtifactName name, Form form, ArtifactBody body)
      throws IOException {
    SealedSpool copy =
        new SealedSpool(shared.attempt().context().workspace(), shared.stateRecipients());
    boolean isStored = false;
    try {
      Stored stored = store(name, form, body, Optional.of(copy));
      remembered.put(name, copy);
      isStored = true;
      return stored;
    } finally {
      if (!isStored) {
        copy.close();
      }
    }
  }

  private Stored store(ArtifactName name, Form form, ArtifactBody body, Optional<SealedSpool> copy)
      throws IOException {
    ArtifactCapture out = shared.pipeline().begin(form.cut(), shared.before().cuts(source(), name));
    copy.ifPresent(c -> out.copyTo(c.plain()));
    try {
      body.writeTo(out);
    } catch (IOException | RuntimeException e) {
      abandon(out, e);
      throw e;
    }
    ArtifactCapture.Result result = out.end();
    CapturedArtifact artifact =
        new CapturedArtifact(name, result.runs().plainBytes(), result.plain());
    return new Stored(artifact, result.runs(), result.newBytes(), result.cuts(), form.isReusable());
  }

  /** Storage's first failure wins over whatever the source made of it. */
  private void abandon(ArtifactCapture out, Exception sourceFailure) throws IOException {
    try {
      out.abandon();
      shared.pipeline().throwFailure();
    } catch (IOException storageFailure) {
      if (storageFailure != sourceFailure) {
        storageFailure.addSuppressed(sourceFailure);
      }
      throw storageFailure;
    }
  }

  @Override
  public void dependsOn(ParentCapture on) {
    parents.add(on.captured().header().snapshot());
  }

  @Override
  public void span(CaptureSpan reached) {
    span = Optional.of(reached);
  }

  @Override
  public void version(String of, String value) {
    versions.put(of, value);
  }

  @Override
  public void property(String key, String value) {
    properties.put(key, value);
  }

  @Override
  public void expect(InventoryItem item) {
    expected.put(item.name(), item);
  }

  @Override
  public void captured(InventoryItem item) {
    inventory.put(item.name(), item);
  }

  @Override
  public void witness(String what, Digest head, long sequence) {
    witnesses.add(new Witness(what, sequence, head));
  }

  @Override
  public void finding(Finding finding) {
    synchronized (findings) {
      findings.add(finding);
    }
    shared.attempt().context().listeners().tell(l -> l.found(run(), finding));
  }

  @Override
  public void progress(long bytes, long objects, long expectedBytes) {
    shared.progress().at(bytes, objects, expectedBytes);
  }

  /**
   * The source returned: compares what was expected with what came.
   *
   * @throws BackupException.Source EMPTY_ARTIFACT if nothing came where something was expected;
   *     SOURCE_FAILED if an artifact failed and was not captured after all
   */
  void complete() throws BackupException {
    if (!failed.isEmpty()) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_FAILED,
          "source %s returned without artifacts that had failed: %s".formatted(source(), failed));
    }
    long bytes = artifacts.values().stream().mapToLong(s -> s.artifact().plainBytes()).sum();
    long expectedCount = expected.values().stream().mapToLong(InventoryItem::count).sum();
    if (artifacts.isEmpty() || (bytes == 0 && expectedCount > 0)) {
      throw new BackupException.Source(
          CoreFailure.EMPTY_ARTIFACT,
          "source %s: expected %d items, captured %d artifacts of %d bytes"
              .formatted(source(), expectedCount, artifacts.size(), bytes));
    }
    expected.values().forEach(this::compare);
  }

  private void compare(InventoryItem item) {
    long found =
        Optional.ofNullable(inventory.get(item.name())).map(InventoryItem::count).orElse(0L);
    if (found < item.count()) {
      finding(
          new Finding(
              CoreFailure.LESS_THAN_EXPECTED,
              source() + "/" + item.name(),
              "expected %d, captured %d".formatted(item.count(), found)));
    }
  }

  /** The source returned or failed: it captures no more. */
  void end() {
    isOver = true;
  }

  List<Finding> findings() {
    synchronized (findings) {
      return List.copyOf(findings);
    }
  }

  @Override
  public Outcome outcome() {
    return RunFindings.outcome(findings());
  }

  @Override
  public CapturedSource result() {
    long plain = artifacts.values().stream().mapToLong(s -> s.runs().plainBytes()).sum();
    long stored = artifacts.values().stream().mapToLong(s -> s.runs().storedBytes()).sum();
    long fresh = artifacts.values().stream().mapToLong(Stored::newBytes).sum();
    CaptureHeader header =
        new CaptureHeader(
            shared.attempt().snapshot(),
            source(),
            planned.component(),
            planned.description().kind(),
            began,
            0,
            outcome(),
            parents,
            span,
            plain,
            stored,
            fresh);
    return new CapturedSource(
        header,
        artifacts.values().stream().map(Stored::artifact).toList(),
        List.copyOf(inventory.values()),
        witnesses,
        versions,
        properties);
  }

  @Override
  public Map<ArtifactName, Runs> runs() {
    Map<ArtifactName, Runs> runs = new LinkedHashMap<>();
    artifacts.forEach((name, stored) -> runs.put(name, stored.runs()));
    return runs;
  }

  @Override
  public Map<ArtifactName, Runs> reusable() {
    Map<ArtifactName, Runs> reusable = new LinkedHashMap<>();
    artifacts.forEach(
        (name, stored) -> {
          if (stored.isReusable()) {
            reusable.put(name, stored.runs());
          }
        });
    return reusable;
  }

  @Override
  public Map<ArtifactName, Cuts> cuts() {
    Map<ArtifactName, Cuts> cuts = new LinkedHashMap<>();
    artifacts.forEach((name, stored) -> stored.cuts().ifPresent(c -> cuts.put(name, c)));
    return cuts;
  }

  /** Each copy is finished and stored once. */
  @Override
  public Map<ArtifactName, ObjectRef> remembered() throws IOException {
    for (Map.Entry<ArtifactName, SealedSpool> copy : remembered.entrySet()) {
      if (!storedCopies.containsKey(copy.getKey())) {
        storedCopies.put(
            copy.getKey(),
            shared.attempt().store().putState(shared.attempt().writer(), copy.getValue().finish()));
      }
    }
    return storedCopies;
  }

  @Override
  public void close() throws IOException {
    try (Closing all = new Closing()) {
      remembered.values().forEach(all::add);
    }
  }
}
