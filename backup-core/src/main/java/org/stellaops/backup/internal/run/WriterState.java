package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.internal.pipeline.Cuts;
import org.stellaops.backup.internal.pipeline.DigestingBuffer;
import org.stellaops.backup.internal.pipeline.Run;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Manifest;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.zstd.Decompressed;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.ParentCapture;
import org.stellaops.backup.spi.Stopping;

/**
 * What a writer remembers of its earlier runs: which chunks it stored, and each source's newest
 * good capture. What cannot be read is a finding and counts as forgotten: then more is stored than
 * necessary, and nothing is lost.
 */
final class WriterState implements Closeable {
  private static final int MAX_CAPTURE_BYTES = 16 << 20;

  private final StoreAccess store;
  private final ScratchFolder scratch;
  private final Identity identity;
  private final List<StateRef> refs;
  private final ChunkIndex index;
  private final List<Finding> findings = new ArrayList<>();
  private final Map<SourceName, CapturedSource> captures = new HashMap<>();
  private final Set<StateRef> lost = new HashSet<>();
  private final Map<String, Cuts> cuts = new HashMap<>();
  private final Map<SourceName, RunTable> runs = new HashMap<>();
  private final IdentityHashMap<RunTable, int[]> ordinals = new IdentityHashMap<>();
  private DigestSet there = new DigestSet();
  private DigestSet doomed = new DigestSet();
  private DigestSet damaged = new DigestSet();

  private WriterState(
      Repository repository, Identity identity, List<StateRef> refs, ChunkIndex index) {
    this.store = repository.store();
    this.scratch = repository.scratch();
    this.identity = identity;
    this.refs = refs;
    this.index = index;
  }

  /**
   * Loads what the writer's newest snapshot names. The caller closes.
   *
   * @param log the writer's, with that snapshot
   * @param memoryBytes what the run may use
   */
  static WriterState load(
      Repository repository, Identity identity, List<StateRef> refs, LogView log, long memoryBytes)
      throws IOException {
    ChunkIndex index = ChunkIndex.of(repository, log.log(), memoryBytes);
    WriterState state = new WriterState(repository, identity, refs, index);
    boolean isLoaded = false;
    try {
      for (StateRef ref : refs) {
        state.tryToLoad(ref);
      }
      index.forgetAllBut(state.indexParts().stream().map(StateRef::object).toList());
      state.forgetDoomed(repository.retention(), log);
      isLoaded = true;
      return state;
    } finally {
      if (!isLoaded) {
        state.close();
      }
    }
  }

  /**
   * Forgets what no entry may name any more, and what the writer knows to be damaged: its chunks
   * are stored again, and its captures are nobody's parents.
   */
  void forgetDoomed(RetentionLog retention, LogView log) throws IOException {
    doomed = retention.doomed(log.log());
    damaged = DamageWord.told(log);
    DigestSet before = there;
    there = store.packsOf(log.log(), scratch);
    before.close();
    index.keepOnly(this::isUsable);
    synchronized (ordinals) {
      ordinals.clear();
    }
    for (StateRef ref : refs) {
      if (doomed.contains(ref.object().stored())) {
        forget(ref);
      }
    }
    if (damaged.size() > 0) {
      for (CapturedSource captured : List.copyOf(captures.values())) {
        if (DamageWord.touches(store, log, captured.header(), damaged)) {
          captures.remove(captured.header().source());
        }
      }
    }
    for (LogView.Standing standing : log.entries()) {
      if (SnapshotEntry.isSnapshot(standing.entry())) {
        retention
            .retired(standing.entry(), List.copyOf(captures.keySet()))
            .keySet()
            .forEach(source -> forget(standing.entry(), source));
      }
    }
  }

  private boolean isUsable(ObjectRef pack) throws IOException {
    return there.contains(pack.stored())
        && !doomed.contains(pack.stored())
        && !damaged.contains(pack.stored());
  }

  /**
   * Writes the packs of some parts of the index that may still be named, then those that were made
   * since.
   *
   * @param firstPack ordinal of the first of these
   */
  void merge(List<StateRef> parts, int firstPack, OutputStream out) throws IOException {
    index.merge(
        parts.stream().filter(p -> !isLost(p)).map(p -> new IndexPartOf(p.object())).toList(),
        this::isUsable,
        firstPack,
        out);
  }

  /** A part of the index, in the store. */
  private final class IndexPartOf implements ChunkIndex.Part {
    private final ObjectRef object;

    IndexPartOf(ObjectRef object) {
      this.object = object;
    }

    @Override
    public InputStream open() throws IOException {
      return WriterState.this.open(object);
    }

    @Override
    public String toString() {
      return object.toString();
    }
  }

  @Override
  public void close() throws IOException {
    DigestSet packs = there;
    try (packs) {
      index.close();
    }
  }

  private void forget(StateRef ref) {
    lost.add(ref);
    if (ref instanceof StateRef.Capture capture) {
      captures.remove(capture.source());
    } else if (ref instanceof StateRef.Cut cut) {
      cuts.remove(cut.source() + "/" + cut.artifact());
    } else if (ref instanceof StateRef.Runs known) {
      runs.remove(known.source());
    }
  }

  private void forget(Entry snapshot, SourceName source) {
    CapturedSource remembered = captures.get(source);
    boolean isOfIt =
        remembered != null
            && snapshot
                .field("snapshot")
                .filter(remembered.header().snapshot().value()::equals)
                .isPresent();
    if (isOfIt) {
      captures.remove(source);
    }
  }

  private void tryToLoad(StateRef ref) throws IOException {
    try {
      if (ref instanceof StateRef.Index part) {
        index.load(part.object(), new IndexPartOf(part.object()));
      } else if (ref instanceof StateRef.Capture capture) {
        captures.put(capture.source(), readCapture(capture.object()));
      } else if (ref instanceof StateRef.Cut cut) {
        try (InputStream in = open(cut.object())) {
          Cuts read = Cuts.read(in, cut.object().toString());
          cuts.put(cut.source() + "/" + cut.artifact(), read);
        }
      } else if (ref instanceof StateRef.Runs known) {
        String what = known.object().toString();
        runs.put(
            known.source(),
            RunTable.read(open(known.object()), index.writer(), Integer.MAX_VALUE, what));
      }
    } catch (BackupException.Corrupt | BackupException.Crypto e) {
      lost.add(ref);
      findings.add(
          new Finding(
              CoreFailure.CORRUPT_OBJECT,
              ref.object().toString(),
              "the writer's own state is lost: " + e.getMessage()));
    }
  }

  private CapturedSource readCapture(ObjectRef object) throws IOException {
    try (InputStream in = open(object)) {
      return Manifest.remembered(
          DigestingBuffer.readBounded(in, MAX_CAPTURE_BYTES, object.toString()), object.toString());
    }
  }

  /** Opens an object that was sealed to the writer. The caller closes. */
  InputStream open(ObjectRef object) throws IOException {
    store.verify(object, Stopping.never());
    return Decompressed.of(store.openSealed(object, List.of(identity)), object.toString());
  }

  ChunkIndex index() {
    return index;
  }

  /** What is no use to anybody any more. */
  boolean isLost(StateRef ref) {
    return lost.contains(ref);
  }

  List<Finding> findings() {
    return findings;
  }

  List<StateRef> indexParts() {
    return refs.stream().filter(StateRef.Index.class::isInstance).toList();
  }

  /** Where an artifact was cut the last time. */
  Cuts cuts(SourceName source, ArtifactName artifact) {
    return cuts.getOrDefault(source + "/" + artifact, Cuts.none());
  }

  /**
   * Where an artifact of the newest good capture of a source is, if all its bytes still are where
   * they were: in packs that are in the store and that an entry may name.
   */
  Optional<Runs> runs(SourceName source, CapturedArtifact artifact) throws IOException {
    return runs(runs.getOrDefault(source, RunTable.none()), source, artifact);
  }

  /** The same of an artifact that stands in this table. */
  Optional<Runs> runs(RunTable table, SourceName source, CapturedArtifact artifact)
      throws IOException {
    Optional<Runs> remembered = table.of(source, artifact.name());
    if (remembered.isEmpty() || remembered.get().plainBytes() != artifact.plainBytes()) {
      return Optional.empty();
    }
    int[] known = ordinals(table);
    Runs now = new Runs();
    for (int i = 0; i < remembered.get().size(); i++) {
      Run run = remembered.get().get(i);
      int pack = known[run.pack()];
      if (pack < 0 || !index.isPresent(pack)) {
        return Optional.empty();
      }
      now.add(new Run(pack, run.offset(), run.storedBytes(), run.plainBytes()));
    }
    return Optional.of(now);
  }

  /** Ordinals in the index of the packs of a table, -1 where one does not count as known. */
  private int[] ordinals(RunTable table) throws IOException {
    synchronized (ordinals) {
      int[] known = ordinals.get(table);
      if (known == null) {
        int[] found = new int[table.packs().size()];
        Arrays.fill(found, -1);
        if (found.length > 0) {
          index.forEachPresent(
              (pack, ordinal) -> {
                int number = table.packs().indexOf(pack);
                if (number >= 0) {
                  found[number] = ordinal;
                }
              });
        }
        ordinals.put(table, found);
        return found;
      }
      return known;
    }
  }

  /** The newest good capture of a source. */
  Optional<ParentCapture> parent(SourceName source) {
    return Optional.ofNullable(captures.get(source)).map(c -> new Remembered(source, c));
  }

  private final class Remembered implements ParentCapture {
    private final SourceName source;
    private final CapturedSource captured;

    Remembered(SourceName source, CapturedSource captured) {
      this.source = source;
      this.captured = captured;
    }

    @Override
    public CapturedSource captured() {
      return captured;
    }

    @Override
    public Optional<InputStream> recall(ArtifactName remembered) throws IOException {
      for (StateRef ref : refs) {
        if (ref instanceof StateRef.Artifact artifact
            && !isLost(ref)
            && artifact.source().equals(source)
            && artifact.artifact().equals(remembered)) {
          return Optional.of(open(artifact.object()));
        }
      }
      return Optional.empty();
    }
  }
}
