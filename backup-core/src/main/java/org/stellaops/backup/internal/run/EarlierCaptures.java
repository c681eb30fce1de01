package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.pipeline.Cuts;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.internal.repository.ManifestReader;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.RunLog.Whole;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.plan.PlannedSource;

/**
 * Sources that runs captured whole which ended without a snapshot, so that the run that takes them
 * up need not read them again. What cannot be read, or is not there whole, is captured again.
 */
final class EarlierCaptures {
  private static final Logger LOG = LoggerFactory.getLogger(EarlierCaptures.class);

  /** Says in the manifest which run captured it. */
  private static final String CAPTURED_BY = "captured-by-run";

  private final Attempt attempt;
  private final WriterState state;
  private final List<Whole> wholes;

  /**
   * @param wholes newest first
   */
  EarlierCaptures(Attempt attempt, WriterState state, List<Whole> wholes) {
    this.attempt = attempt;
    this.state = state;
    this.wholes = wholes;
  }

  /** Nothing. */
  EarlierCaptures none() {
    return new EarlierCaptures(attempt, state, List.of());
  }

  /** The newest capture of this source that may take the place of another one. */
  Optional<Captured> of(PlannedSource source) throws IOException {
    for (Whole whole : wholes) {
      if (whole.source().equals(source.name())) {
        Optional<Captured> found = tryToRead(whole).filter(c -> isWanted(c, source));
        found.ifPresent(c -> LOG.info("{} was captured by run {}", source.name(), whole.run()));
        return found;
      }
    }
    return Optional.empty();
  }

  private boolean isWanted(Captured captured, PlannedSource source) {
    CaptureHeader header = captured.result().header();
    Duration reuse = attempt.plan().runs().reuse();
    Instant now = attempt.context().clock().instant();
    return header.outcome() == Outcome.GOOD
        && header.kind().equals(source.description().kind())
        && header.component().equals(source.component())
        && !header.time().isAfter(now)
        && header.time().plus(reuse).isAfter(now)
        && (attempt.request().kind() == CaptureKind.INCREMENTAL || header.parents().isEmpty());
  }

  private Optional<Captured> tryToRead(Whole whole) throws IOException {
    try {
      return read(whole);
    } catch (BackupException.Corrupt | BackupException.Crypto e) {
      LOG.info("{} is captured again: {}", whole.source(), e.detail());
      return Optional.empty();
    }
  }

  private Optional<Captured> read(Whole whole) throws IOException {
    SnapshotId snapshot = new SnapshotId(whole.run().value());
    String what = whole.object().toString();
    List<CapturedSource> sources;
    try (InputStream in = state.open(whole.object())) {
      sources = ManifestReader.sources(in, snapshot, 0, what);
    }
    if (sources.size() != 1 || !sources.get(0).header().source().equals(whole.source())) {
      return Optional.empty();
    }
    CapturedSource captured = sources.get(0);
    RunTable table = table(whole.object());
    Map<ArtifactName, Runs> runs = new LinkedHashMap<>();
    for (CapturedArtifact artifact : captured.artifacts()) {
      Optional<Runs> found = state.runs(table, whole.source(), artifact);
      if (found.isEmpty()) {
        return Optional.empty();
      }
      runs.put(artifact.name(), found.get());
    }
    Map<ArtifactName, Runs> reusable = new LinkedHashMap<>(runs);
    reusable.keySet().retainAll(reusable(whole, captured));
    return Optional.of(
        new Earlier(ofThisRun(captured, whole), runs, reusable, cuts(whole), remembered(whole)));
  }

  private RunTable table(ObjectRef object) throws IOException {
    return RunTable.read(
        state.open(object), attempt.writer(), Integer.MAX_VALUE, object.toString());
  }

  /** Names of the artifacts that a later capture may take over. */
  private Set<ArtifactName> reusable(Whole whole, CapturedSource captured) throws IOException {
    Set<ArtifactName> names = new HashSet<>();
    for (StateRef ref : whole.state()) {
      if (ref instanceof StateRef.Runs known) {
        RunTable table = table(known.object());
        captured.artifacts().stream()
            .filter(a -> a.plainBytes() > 0 && isIn(table, whole.source(), a))
            .map(CapturedArtifact::name)
            .forEach(names::add);
      }
    }
    return names;
  }

  private static boolean isIn(RunTable table, SourceName source, CapturedArtifact artifact) {
    return table
        .of(source, artifact.name())
        .filter(runs -> runs.plainBytes() == artifact.plainBytes())
        .isPresent();
  }

  private CapturedSource ofThisRun(CapturedSource captured, Whole whole) {
    CaptureHeader old = captured.header();
    Map<String, String> properties = new TreeMap<>(captured.properties());
    properties.putIfAbsent(CAPTURED_BY, whole.run().value());
    return new CapturedSource(
        new CaptureHeader(
            attempt.snapshot(),
            old.source(),
            old.component(),
            old.kind(),
            old.time(),
            0,
            old.outcome(),
            old.parents(),
            old.span(),
            old.plainBytes(),
            old.storedBytes(),
            0),
        captured.artifacts(),
        captured.inventory(),
        captured.witnesses(),
        captured.versions(),
        properties);
  }

  private Map<ArtifactName, Cuts> cuts(Whole whole) throws IOException {
    Map<ArtifactName, Cuts> cuts = new HashMap<>();
    for (StateRef ref : new ArrayList<>(whole.state())) {
      if (ref instanceof StateRef.Cut cut) {
        try (InputStream in = state.open(cut.object())) {
          cuts.put(cut.artifact(), Cuts.read(in, cut.object().toString()));
        }
      }
    }
    return cuts;
  }

  private static Map<ArtifactName, ObjectRef> remembered(Whole whole) {
    Map<ArtifactName, ObjectRef> remembered = new LinkedHashMap<>();
    for (StateRef ref : whole.state()) {
      if (ref instanceof StateRef.Artifact artifact) {
        remembered.put(artifact.artifact(), artifact.object());
      }
    }
    return remembered;
  }

  private record Earlier(
      CapturedSource result,
      Map<ArtifactName, Runs> runs,
      Map<ArtifactName, Runs> reusable,
      Map<ArtifactName, Cuts> cuts,
      Map<ArtifactName, ObjectRef> remembered)
      implements Captured {
    @Override
    public SourceName source() {
      return result.header().source();
    }

    @Override
    public Outcome outcome() {
      return result.header().outcome();
    }
  }
}
