package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.pipeline.ArtifactReader;
import org.stellaops.backup.internal.pipeline.RunSequence;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.internal.pipeline.StoredRun;
import org.stellaops.backup.internal.repository.BoundedInput;
import org.stellaops.backup.internal.repository.ManifestReader;
import org.stellaops.backup.internal.repository.ManifestReader.NamedRun;
import org.stellaops.backup.internal.repository.ManifestReader.RunLines;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.zstd.Decompressed;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Stopping;

/** Reads the content of one snapshot with the identity of its epoch. From any thread. */
final class SnapshotReader {
  /** Largest manifest, compressed and plain: a million runs take about a tenth of it. */
  static final long MAX_MANIFEST_BYTES = 512L << 20;

  /** Sources with thousands of artifacts have them opened one after the other. */
  private static final int OPENED_BEFORE_HELD = 16;

  private static final int MOST_RUNS_HELD = 1000;

  private final Context context;
  private final StoreAccess store;
  private final SnapshotList.Known snapshot;
  private final Identity epoch;
  private final Stopping stopping;
  private int opened;
  private RunTable table = RunTable.none();

  /** Everything stays the caller's. */
  SnapshotReader(
      Context context,
      StoreAccess store,
      SnapshotList.Known snapshot,
      Identity epoch,
      Stopping stopping) {
    this.context = context;
    this.store = store;
    this.snapshot = snapshot;
    this.epoch = epoch;
    this.stopping = stopping;
  }

  /**
   * What was captured. The manifest is compared with its signed digest first, and then with what
   * the entry says in clear.
   */
  List<CapturedSource> sources() throws IOException {
    ObjectRef manifest = snapshot.entry().manifest();
    BoundedInput.requireAtMost(manifest.lengthBytes(), MAX_MANIFEST_BYTES, manifest.toString());
    store.verify(manifest, stopping);
    List<CapturedSource> sources =
        ManifestReader.sources(
            lines(), snapshot.summary().id(), snapshot.summary().sequence(), manifest.toString());
    List<CaptureHeader> sealed = sources.stream().map(CapturedSource::header).toList();
    List<CaptureHeader> signed =
        snapshot.entry().parts().stream().map(SnapshotEntry.Part::header).toList();
    if (!sealed.equals(signed)) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED, "%s says other things than its signed entry".formatted(manifest));
    }
    return sources;
  }

  private InputStream lines() throws IOException {
    ObjectRef manifest = snapshot.entry().manifest();
    InputStream plain =
        Decompressed.of(store.openSealed(manifest, List.of(epoch)), manifest.toString());
    return new BoundedInput(plain, MAX_MANIFEST_BYTES, manifest.toString());
  }

  /** The artifact of this name. */
  static CapturedArtifact artifact(CapturedSource of, ArtifactName name) throws BackupException {
    return of.artifact(name)
        .orElseThrow(
            () ->
                new BackupException.Corrupt(
                    CoreFailure.OBJECT_NOT_FOUND,
                    "%s has no artifact %s".formatted(of.header().source(), name)));
  }

  /** The plain bytes of an artifact, verified at EOF. The caller closes. */
  InputStream open(SourceName source, CapturedArtifact artifact) throws IOException {
    String what = "artifact " + source + "/" + artifact.name();
    return new ArtifactReader(
        what,
        runs(source, artifact),
        artifact.plainBytes(),
        artifact.plain(),
        context.executor(),
        stopping);
  }

  /** A range of an artifact. The caller closes. */
  InputStream open(SourceName source, CapturedArtifact artifact, ByteRange plain)
      throws IOException {
    String what = "artifact " + source + "/" + artifact.name();
    long end = plain.endIn(artifact.plainBytes());
    RangeRuns runs = new RangeRuns(runs(source, artifact), plain.offset(), end);
    long first = runs.skipToStart();
    InputStream in =
        ArtifactReader.partial(what, runs, Long.MAX_VALUE, context.executor(), stopping);
    try {
      in.skipNBytes(Math.min(plain.offset(), end) - first);
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
    return BoundedInput.upTo(in, end - Math.min(plain.offset(), end));
  }

  private RunLines runLines(SourceName source, CapturedArtifact artifact) throws IOException {
    return new RunLines(
        lines(),
        source,
        artifact.name(),
        snapshot.summary().writer(),
        snapshot.entry().manifest().toString());
  }

  private RunSequence runs(SourceName source, CapturedArtifact artifact) throws IOException {
    RunTable names = table();
    Optional<Runs> held = names.of(source, artifact.name());
    return held.isPresent()
        ? heldRuns(source, artifact, held.get(), names)
        : readRuns(source, artifact);
  }

  /** The runs of small artifacts, once so many were asked for that reading them again is waste. */
  private synchronized RunTable table() throws IOException {
    if (++opened == OPENED_BEFORE_HELD) {
      table =
          RunTable.read(
              lines(),
              snapshot.summary().writer(),
              MOST_RUNS_HELD,
              snapshot.entry().manifest().toString());
    }
    return table;
  }

  private RunSequence heldRuns(
      SourceName source, CapturedArtifact artifact, Runs runs, RunTable names) {
    return new RunSequence() {
      private int at;

      @Override
      public Optional<StoredRun> next() {
        return at == runs.size()
            ? Optional.empty()
            : Optional.of(stored(names.named(runs.get(at++))));
      }

      @Override
      public List<Finding> damaged() throws IOException {
        return damagedPacks(source, artifact);
      }
    };
  }

  private RunSequence readRuns(SourceName source, CapturedArtifact artifact) throws IOException {
    RunLines lines = runLines(source, artifact);
    return new RunSequence() {
      @Override
      public Optional<StoredRun> next() throws IOException {
        return lines.next().map(SnapshotReader.this::stored);
      }

      @Override
      public List<Finding> damaged() throws IOException {
        return damagedPacks(source, artifact);
      }

      @Override
      public void close() throws IOException {
        lines.close();
      }
    };
  }

  /** The packs of an artifact that are not as they were stored. */
  private List<Finding> damagedPacks(SourceName source, CapturedArtifact artifact)
      throws IOException {
    Set<ObjectRef> packs = new LinkedHashSet<>();
    try (RunLines lines = runLines(source, artifact)) {
      for (Optional<NamedRun> run = lines.next(); run.isPresent(); run = lines.next()) {
        packs.add(run.get().pack());
      }
    }
    List<Finding> damaged = new ArrayList<>();
    for (ObjectRef pack : packs) {
      try {
        store.verify(pack, stopping);
      } catch (BackupException.Corrupt e) {
        damaged.add(new Finding(e.code(), pack.toString(), e.detail()));
      }
    }
    return damaged;
  }

  private StoredRun stored(NamedRun run) {
    return new StoredRun() {
      @Override
      public int storedBytes() {
        return run.storedBytes();
      }

      @Override
      public long plainBytes() {
        return run.plainBytes();
      }

      @Override
      public byte[] fetch() throws IOException {
        ByteRange frames = new ByteRange(run.offset(), run.storedBytes());
        return store.readSealed(run.pack(), frames, List.of(epoch), stopping);
      }

      @Override
      public String describe() {
        return run.pack().toString();
      }
    };
  }

  /** The runs that touch a range of plain bytes. */
  private static final class RangeRuns implements RunSequence {
    private final RunSequence all;
    private final long start;
    private final long end;
    private long at;
    private Optional<StoredRun> first = Optional.empty();

    RangeRuns(RunSequence all, long start, long end) {
      this.all = all;
      this.start = start;
      this.end = end;
    }

    /** Goes to the run that holds the start; returns where in the artifact it begins. */
    long skipToStart() throws IOException {
      if (start >= end) {
        at = end;
        return Math.min(start, end);
      }
      for (Optional<StoredRun> run = all.next(); run.isPresent(); run = all.next()) {
        if (at + run.get().plainBytes() > start) {
          first = run;
          return at;
        }
        at += run.get().plainBytes();
      }
      return at;
    }

    @Override
    public Optional<StoredRun> next() throws IOException {
      Optional<StoredRun> run =
          first.isPresent() ? first : at < end ? all.next() : Optional.empty();
      first = Optional.empty();
      if (at >= end) {
        return Optional.empty();
      }
      run.ifPresent(r -> at += r.plainBytes());
      return run;
    }

    @Override
    public void close() throws IOException {
      all.close();
    }
  }
}
