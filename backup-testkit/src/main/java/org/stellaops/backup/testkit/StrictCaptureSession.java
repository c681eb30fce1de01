package org.stellaops.backup.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode.Severity;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Witness;
import org.stellaops.backup.spi.ArtifactBody;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.ParentCapture;
import org.stellaops.backup.spi.SourceDescription;

/**
 * A session that forgives nothing. The first breach of the contract is kept, since a source may
 * swallow the exception that tells it, and ends the capture as an {@link AssertionError}.
 */
final class StrictCaptureSession implements CaptureSession {
  private final Settings settings;
  private final @Nullable Remembered parent;
  private final Thread owner = Thread.currentThread();
  private final AtomicReference<@Nullable String> breach = new AtomicReference<>();
  private final OpenStreams recalled = new OpenStreams();

  private final Map<ArtifactName, CapturedArtifact> artifacts = new LinkedHashMap<>();
  private final Map<ArtifactName, Captured.Kept> kept = new LinkedHashMap<>();
  private final Map<ArtifactName, ArtifactBytes> remembered = new LinkedHashMap<>();
  private final Set<ArtifactName> failed = new LinkedHashSet<>();
  private final Map<String, InventoryItem> expected = new LinkedHashMap<>();
  private final Map<String, InventoryItem> counted = new LinkedHashMap<>();
  private Optional<CaptureSpan> span = Optional.empty();
  private final List<Witness> witnesses = new ArrayList<>();
  private final Map<String, String> versions = new LinkedHashMap<>();
  private final Map<String, String> properties = new LinkedHashMap<>();
  private final List<Finding> findings = Collections.synchronizedList(new ArrayList<>());

  private volatile boolean isOver;
  private boolean dependsOnParent;
  private @Nullable ArtifactName current;
  private @Nullable Progress progress;
  private long writtenBytes;
  private long bytesAfterStop;
  private BackupException.@Nullable Sink storageFailure;

  StrictCaptureSession(Settings settings) {
    this.settings = settings;
    this.parent = settings.parent() == null ? null : new Remembered(settings.parent());
  }

  /** Lets the source capture, and judges what became of it. */
  void run(BackupSource source) throws IOException {
    Throwable thrown = null;
    try {
      source.capture(this);
    } catch (IOException | RuntimeException | Error e) {
      thrown = e;
    } finally {
      isOver = true;
    }
    requireNoBreach(thrown);
    requireStorageFailurePassed(thrown);
    requireStopped(thrown);
    rethrow(thrown);
    requireComplete();
  }

  /** The source describes itself after the capture as it did before. */
  void requireUnchanged(SourceDescription after) {
    if (!settings.description().equals(after)) {
      throw new AssertionError(
          "the source describes itself as %s before and as %s after a capture"
              .formatted(settings.description(), after));
    }
  }

  /** Every registration with {@code stopping().onStop} was closed. */
  void requireRegistrations(int leftOpen) {
    if (leftOpen > 0) {
      throw new AssertionError(leftOpen + " registrations of Stopping.onStop were not closed");
    }
  }

  /** What was captured; only after {@link #run} returned. */
  Captured captured() {
    List<Finding> all = new ArrayList<>(findings);
    expected.values().forEach(item -> shortfall(item).ifPresent(all::add));
    Captured base = dependsOnParent ? settings.parent() : null;
    List<CapturedArtifact> inOrder = List.copyOf(artifacts.values());
    long plainBytes = inOrder.stream().mapToLong(CapturedArtifact::plainBytes).sum();
    CaptureHeader header = header(outcome(all), base, plainBytes);
    var source =
        new CapturedSource(
            header, inOrder, List.copyOf(counted.values()), witnesses, versions, properties);
    return new Captured(
        source, List.copyOf(expected.values()), all, kept, remembered, base, progress);
  }

  @Override
  public SourceName source() {
    requireOwner("source");
    return settings.name();
  }

  @Override
  public RunId run() {
    requireOwner("run");
    return settings.run();
  }

  @Override
  public InstantSource clock() {
    requireOwner("clock");
    return settings.clock();
  }

  @Override
  public Executor executor() {
    return settings.executor();
  }

  @Override
  public StopSwitch stopping() {
    requireAlive("stopping");
    return settings.stopping();
  }

  @Override
  public CaptureKind requested() {
    requireOwner("requested");
    return settings.requested();
  }

  @Override
  public Optional<ParentCapture> parent() {
    requireOwner("parent");
    return Optional.ofNullable(parent);
  }

  @Override
  public Optional<CapturedSource> captured(SourceName earlier) {
    requireOwner("captured");
    return Optional.ofNullable(settings.earlier().get(earlier));
  }

  @Override
  public CapturedArtifact artifact(ArtifactName name, Form form, ArtifactBody body)
      throws IOException {
    requireOwner("artifact " + name);
    require(current == null, "artifact %s begins inside artifact %s".formatted(name, current));
    require(!artifacts.containsKey(name), "artifact %s is captured twice".formatted(name));
    if (storageFailure != null) {
      throw storageFailure;
    }
    ArtifactBytes bytes = ArtifactBytes.of(name, settings.directory());
    var output = new Output(name, bytes.create());
    current = name;
    failed.add(name);
    try {
      body.writeTo(output);
      output.finish();
    } catch (IOException | RuntimeException | Error e) {
      output.abandon();
      bytes.discard();
      throw e;
    } finally {
      current = null;
    }
    failed.remove(name);
    CapturedArtifact artifact = output.artifact();
    artifacts.put(name, artifact);
    kept.put(name, new Captured.Kept(form, output.boundaries, bytes));
    return artifact;
  }

  @Override
  public boolean reuse(Map<ArtifactName, ArtifactName> parentNames) throws IOException {
    requireOwner("reuse " + parentNames);
    require(current == null, "artifacts are taken over inside artifact " + current);
    parentNames
        .keySet()
        .forEach(
            n -> require(!artifacts.containsKey(n), "artifact %s is captured twice".formatted(n)));
    Captured from = settings.parent();
    if (from == null || !parentNames.values().stream().allMatch(from::isReusable)) {
      return false;
    }
    parentNames.forEach((name, inParent) -> takeOver(from, name, inParent));
    return true;
  }

  private void takeOver(Captured from, ArtifactName name, ArtifactName inParent) {
    CapturedArtifact same = from.source().artifact(inParent).orElseThrow();
    artifacts.put(name, new CapturedArtifact(name, same.plainBytes(), same.plain()));
    kept.put(name, from.kept(inParent));
  }

  @Override
  public void remember(ArtifactName name, ArtifactBody body) throws IOException {
    requireOwner("remember " + name);
    require(current == null, "%s is remembered inside artifact %s".formatted(name, current));
    require(
        !artifacts.containsKey(name) && !remembered.containsKey(name),
        name + " is remembered beside another of this name");
    ArtifactBytes bytes = ArtifactBytes.of(name, null);
    var output = new Output(name, bytes.create());
    current = name;
    try {
      body.writeTo(output);
      output.finish();
    } finally {
      current = null;
    }
    remembered.put(name, bytes);
  }

  @Override
  public void dependsOn(ParentCapture on) {
    requireOwner("dependsOn");
    require(on == parent, "the capture depends on something that is not this session's parent");
    require(
        settings.requested() == CaptureKind.INCREMENTAL,
        "the capture depends on a parent although a full one was requested");
    require(
        settings.description().kinds().contains(CaptureKind.INCREMENTAL),
        "the source describes itself as always full and depends on a parent");
    dependsOnParent = true;
  }

  @Override
  public void span(CaptureSpan reached) {
    requireOwner("span");
    require(span.isEmpty(), "the span is given twice");
    span = Optional.of(reached);
  }

  @Override
  public void version(String of, String value) {
    requireOwner("version");
    versions.put(of, value);
  }

  @Override
  public void property(String key, String value) {
    requireOwner("property");
    properties.put(key, value);
  }

  @Override
  public void expect(InventoryItem item) {
    requireOwner("expect");
    require(expected.putIfAbsent(item.name(), item) == null, item.name() + " is expected twice");
  }

  @Override
  public void captured(InventoryItem item) {
    requireOwner("captured");
    require(counted.putIfAbsent(item.name(), item) == null, item.name() + " is counted twice");
  }

  @Override
  public void witness(String what, Digest head, long sequence) {
    requireOwner("witness");
    witnesses.add(new Witness(what, sequence, head));
  }

  @Override
  public void finding(Finding finding) {
    requireAlive("finding");
    findings.add(finding);
  }

  @Override
  public void progress(long bytes, long objects, long expectedBytes) {
    requireOwner("progress");
    var next =
        new Progress(
            settings.run(),
            "capture " + settings.name(),
            bytes,
            objects,
            expectedBytes,
            Duration.ZERO);
    require(bytes >= 0 && objects >= 0 && expectedBytes >= 0, "progress is negative: " + next);
    require(
        progress == null || (bytes >= progress.bytes() && objects >= progress.objects()),
        "progress goes backwards: from %s to %s".formatted(progress, next));
    progress = next;
  }

  private void requireNoBreach(@Nullable Throwable thrown) {
    String what = breach.get();
    if (what != null) {
      throw assertion("the source broke the contract of its session: " + what, thrown);
    }
  }

  private void requireStorageFailurePassed(@Nullable Throwable thrown) throws IOException {
    if (storageFailure == null) {
      return;
    }
    if (thrown == null) {
      throw assertion("storage failed and the source reported success", storageFailure);
    }
    if (!isOrHolds(thrown, storageFailure)) {
      throw assertion("storage failed and the source hid it behind another failure", thrown);
    }
    throw storageFailure;
  }

  private void requireStopped(@Nullable Throwable thrown) throws BackupException.Stopped {
    if (!settings.stopping().isStopping()) {
      return;
    }
    if (bytesAfterStop > CaptureHarness.PROMPT_BYTES) {
      throw assertion(
          "the source wrote %d bytes after it was stopped".formatted(bytesAfterStop), thrown);
    }
    if (thrown instanceof RuntimeException || thrown instanceof Error) {
      throw assertion("a stopped source ended like a programmer's mistake", thrown);
    }
    if (thrown instanceof BackupException.Stopped stopped) {
      throw stopped;
    }
    var stopped = new BackupException.Stopped(CoreFailure.CANCELLED, "the test stopped the run");
    if (thrown != null) {
      stopped.addSuppressed(thrown);
    }
    throw stopped;
  }

  private static void rethrow(@Nullable Throwable thrown) throws IOException {
    if (thrown instanceof IOException e) {
      throw e;
    }
    if (thrown instanceof RuntimeException e) {
      throw e;
    }
    if (thrown instanceof Error e) {
      throw e;
    }
  }

  private void requireComplete() {
    if (!failed.isEmpty()) {
      throw new AssertionError(
          "the source reported success without the failed artifacts " + failed);
    }
    if (!recalled.names().isEmpty()) {
      throw new AssertionError("recalled and not closed: " + recalled.names());
    }
  }

  private Optional<Finding> shortfall(InventoryItem item) {
    InventoryItem found = counted.getOrDefault(item.name(), InventoryItem.of(item.name(), 0, 0));
    boolean isShort = found.count() < item.count() || found.bytes() < item.bytes();
    return isShort
        ? Optional.of(
            new Finding(
                CoreFailure.LESS_THAN_EXPECTED,
                item.name(),
                "expected %s, found %s".formatted(item, found)))
        : Optional.empty();
  }

  private CaptureHeader header(Outcome outcome, @Nullable Captured base, long plainBytes) {
    long sequence =
        settings.parent() == null ? 1 : settings.parent().source().header().sequence() + 1;
    return new CaptureHeader(
        new SnapshotId("snapshot-" + sequence),
        settings.name(),
        settings.description().component(),
        settings.description().kind(),
        settings.clock().instant(),
        sequence,
        outcome,
        base == null ? List.of() : List.of(base.source().header().snapshot()),
        span,
        plainBytes,
        plainBytes,
        plainBytes);
  }

  private static Outcome outcome(List<Finding> findings) {
    return findings.stream().allMatch(f -> f.code().severity() == Severity.INFO)
        ? Outcome.GOOD
        : Outcome.DEGRADED;
  }

  private void requireOwner(String what) {
    requireAlive(what);
    require(
        Thread.currentThread() == owner,
        "%s is used by thread %s instead of the capture's own"
            .formatted(what, Thread.currentThread().getName()));
  }

  private void requireAlive(String what) {
    require(!isOver, what + " is used after capture returned");
  }

  private void require(boolean holds, String otherwise) {
    if (!holds) {
      breach.compareAndSet(null, otherwise);
      throw new IllegalStateException(otherwise);
    }
  }

  private static AssertionError assertion(String message, @Nullable Throwable cause) {
    return new AssertionError(message, cause);
  }

  private static boolean isOrHolds(Throwable thrown, Throwable sought) {
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    List<Throwable> open = new ArrayList<>(List.of(thrown));
    while (!open.isEmpty()) {
      Throwable next = open.remove(open.size() - 1);
      if (next == sought) {
        return true;
      }
      if (seen.add(next)) {
        Optional.ofNullable(next.getCause()).ifPresent(open::add);
        open.addAll(List.of(next.getSuppressed()));
      }
    }
    return false;
  }

  /** What a harness was told. */
  record Settings(
      SourceName name,
      SourceDescription description,
      RunId run,
      InstantSource clock,
      StopSwitch stopping,
      CaptureKind requested,
      @Nullable Captured parent,
      Map<SourceName, CapturedSource> earlier,
      @Nullable Path directory,
      long stopAfterBytes,
      long failAtByte,
      Executor executor) {
    Settings {
      earlier = Map.copyOf(earlier);
    }
  }

  /** The bytes of one artifact on their way to where they are kept. */
  private final class Output extends ArtifactOutput {
    private final ArtifactName name;
    private final OutputStream kept;
    private final List<Long> boundaries = new ArrayList<>();
    private final MessageDigest digest = Digest.sha256();
    private final AtomicBoolean isBusy = new AtomicBoolean();
    private volatile boolean isFinished;
    private long bytes;

    Output(ArtifactName name, OutputStream kept) {
      this.name = name;
      this.kept = kept;
    }

    @Override
    public void boundary() throws IOException {
      enter();
      try {
        requireStorage();
        if (boundaries.isEmpty() || boundaries.get(boundaries.size() - 1) != bytes) {
          boundaries.add(bytes);
        }
      } finally {
        isBusy.set(false);
      }
    }

    @Override
    public void write(byte[] buffer, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, buffer.length);
      enter();
      try {
        requireStorage();
        int fits = (int) Math.min(length, settings.failAtByte() - writtenBytes);
        keep(buffer, offset, fits);
        if (fits < length) {
          throw failStorage();
        }
      } finally {
        isBusy.set(false);
      }
    }

    void finish() throws IOException {
      requireStorage();
      isFinished = true;
      kept.close();
    }

    void abandon() throws IOException {
      isFinished = true;
      kept.close();
    }

    CapturedArtifact artifact() {
      return new CapturedArtifact(name, bytes, Digest.of(digest.digest()));
    }

    private void keep(byte[] buffer, int offset, int length) throws IOException {
      kept.write(buffer, offset, length);
      digest.update(buffer, offset, length);
      bytes += length;
      writtenBytes += length;
      if (settings.stopping().isStopping()) {
        bytesAfterStop += length;
        refuseWhenFarTooLate();
      } else if (writtenBytes >= settings.stopAfterBytes()) {
        settings.stopping().stop();
      }
    }

    /** Ends a source that would never stop. */
    private void refuseWhenFarTooLate() throws BackupException.Stopped {
      if (bytesAfterStop > CaptureHarness.PROMPT_BYTES) {
        settings.stopping().check();
      }
    }

    private void requireStorage() throws BackupException.Sink {
      if (storageFailure != null) {
        throw storageFailure;
      }
    }

    private BackupException.Sink failStorage() {
      storageFailure =
          new BackupException.Sink(
              CoreFailure.SINK_FAILED,
              BackupException.Sink.Reason.REFUSED,
              "the test let storage fail at byte " + settings.failAtByte());
      return storageFailure;
    }

    private void enter() {
      require(!isFinished, "artifact %s is written to after its body ended".formatted(name));
      require(
          isBusy.compareAndSet(false, true),
          "artifact %s is written to by two threads at once".formatted(name));
    }
  }

  /** The parent as its writer remembers it. */
  private final class Remembered implements ParentCapture {
    private final Captured capture;

    Remembered(Captured capture) {
      this.capture = capture;
    }

    @Override
    public CapturedSource captured() {
      return capture.source();
    }

    @Override
    public Optional<InputStream> recall(ArtifactName remembered) throws IOException {
      requireAlive("recall " + remembered);
      Optional<InputStream> apart = capture.openRemembered(remembered);
      if (apart.isPresent()) {
        return Optional.of(recalled.track("remembered " + remembered, apart.get()));
      }
      Optional<CapturedArtifact> artifact = capture.source().artifact(remembered);
      if (artifact.isEmpty() || !capture.isRemembered(remembered)) {
        return Optional.empty();
      }
      var verified = new VerifiedInputStream(capture.open(remembered), artifact.get(), () -> {});
      return Optional.of(recalled.track("remembered " + remembered, verified));
    }
  }
}
