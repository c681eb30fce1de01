package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
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
import org.stellaops.backup.model.Digest;
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
final class WriterState {
  private static final int MAX_CAPTURE_BYTES = 16 << 20;

  private final StoreAccess store;
  private final Identity identity;
  private final List<StateRef> refs;
  private final ChunkIndex index;
  private final List<Finding> findings = new ArrayList<>();
  private final Map<SourceName, CapturedSource> captures = new HashMap<>();
  private final Set<StateRef> lost = new HashSet<>();
  private final Map<String, Cuts> cuts = new HashMap<>();
  private final Map<SourceName, RunTable> runs = new HashMap<>();
  private final String writer;

  private WriterState(StoreAccess store, Identity identity, List<StateRef> refs, String writer) {
    this.store = store;
    this.identity = identity;
    this.refs = refs;
    this.writer = writer;
    this.index = new ChunkIndex(writer);
  }

  /**
   * Loads what the writer's newest snapshot names.
   *
   * @param log the writer's, with that snapshot
   */
  static WriterState load(
      Repository repository, Identity identity, List<StateRef> refs, LogView log)
      throws IOException {
    WriterState state = new WriterState(repository.store(), identity, refs, log.log());
    for (StateRef ref : refs) {
      state.tryToLoad(ref);
    }
    state.forgetDoomed(repository.retention(), log);
    return state;
  }

  /**
   * Forgets what no entry may name any more, and what the writer knows to be damaged: its chunks
   * are stored again, and its captures are nobody's parents.
   */
  void forgetDoomed(RetentionLog retention, LogView log) throws IOException {
    DigestSet doomed = retention.doomed(log.log());
    Map<Digest, Long> there = store.packSizes(log.log());
    DigestSet damaged = DamageWord.told(log);
    there.keySet().removeIf(d -> doomed.contains(d) || damaged.contains(d));
    index.keepOnly(there);
    refs.stream().filter(r -> doomed.contains(r.object().stored())).forEach(this::forget);
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
        try (InputStream in = open(part.object())) {
          index.load(in, part.object().toString());
        }
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
            known.source(), RunTable.read(open(known.object()), writer, Integer.MAX_VALUE, what));
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
  Optional<Runs> runs(SourceName source, CapturedArtifact artifact) {
    return runs(runs.getOrDefault(source, RunTable.none()), source, artifact);
  }

  /** The same of an artifact that stands in this table. */
  Optional<Runs> runs(RunTable table, SourceName source, CapturedArtifact artifact) {
    Optional<Runs> remembered = table.of(source, artifact.name());
    if (remembered.isEmpty() || remembered.get().plainBytes() != artifact.plainBytes()) {
      return Optional.empty();
    }
    Runs now = new Runs();
    for (int i = 0; i < remembered.get().size(); i++) {
      Run run = remembered.get().get(i);
      OptionalInt pack = index.ordinal(table.pack(run));
      if (pack.isEmpty()) {
        return Optional.empty();
      }
      now.add(new Run(pack.getAsInt(), run.offset(), run.storedBytes(), run.plainBytes()));
    }
    return Optional.of(now);
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
