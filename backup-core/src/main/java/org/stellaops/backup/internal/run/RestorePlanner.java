package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreTarget;

/**
 * Asks every target what a restore would do. Changes nothing, and finds all blockers, not the
 * first.
 */
public final class RestorePlanner {
  private final Map<SourceName, RestoreTarget> origins;
  private final Map<SourceName, Stage> stages;
  private final List<Finding> blockers = new ArrayList<>();
  private final Map<FileStore, Long> space = new HashMap<>();

  /** Opens artifacts of what is planned. */
  @FunctionalInterface
  interface Opener {
    /** The plain bytes, verified at EOF. The caller closes. */
    InputStream open(CapturedSource source, ArtifactName artifact) throws IOException;
  }

  /** What is to be replayed on top of what is restored. */
  interface Replays {
    /** Where it ends; empty if nothing is to be replayed. */
    Optional<RecoveryPoint> point();

    /** What was recorded of a source's history. */
    Optional<RecordedStream> recorded(CapturedSource source) throws IOException;

    /** What the logs of streams looked like. */
    Map<String, Long> heads();
  }

  /**
   * @param origins where sources came from, as far as the plan knows
   * @param stages of the plan's sources
   */
  public RestorePlanner(Map<SourceName, RestoreTarget> origins, Map<SourceName, Stage> stages) {
    this.origins = origins;
    this.stages = stages;
  }

  /**
   * A source and where it goes.
   *
   * @param source what was captured
   * @param target where it goes
   */
  record Bound(CapturedSource source, RestoreTarget target) {}

  /**
   * The plan for these sources of a snapshot.
   *
   * @param chains for each of them the captures to restore, full first
   */
  RestorePlan plan(
      SnapshotList.Known snapshot,
      List<CapturedSource> sources,
      Map<SourceName, List<CapturedSource>> chains,
      RestoreRequest request,
      Opener opener,
      Replays replays)
      throws IOException {
    requireKnownTargets(sources, request);
    List<RestorePlan.Part> parts = new ArrayList<>();
    for (Bound bound : bind(sources, request)) {
      List<CapturedSource> chain =
          chains.getOrDefault(bound.source().header().source(), List.of(bound.source()));
      Planning planning = new Planning(bound.source(), chain, opener, replays);
      bound.target().plan(planning);
      planning.requireReplaying(bound.target());
      parts.add(planning.part(bound.target()));
    }
    requireHistory(sources, replays);
    return new RestorePlan(snapshot.summary(), request, parts, blockers, replays.heads());
  }

  /** Where nothing has a recorded history, no point can be reached by replaying it. */
  private void requireHistory(List<CapturedSource> sources, Replays replays) {
    boolean isReplayable = sources.stream().anyMatch(s -> s.header().span().isPresent());
    if (replays.point().isPresent() && !isReplayable) {
      blockers.add(
          new Finding(
              CoreFailure.STREAM_MISSING,
              sources.stream().map(s -> s.header().source().value()).toList().toString(),
              "has no history that could be replayed up to " + replays.point().get()));
    }
  }

  private void requireKnownTargets(List<CapturedSource> sources, RestoreRequest request) {
    List<SourceName> known = sources.stream().map(s -> s.header().source()).toList();
    for (SourceName name : request.targets().keySet()) {
      if (!known.contains(name)) {
        blockers.add(
            new Finding(
                CoreFailure.NOT_FOUND,
                name.value(),
                "has a target, but the restore is of " + known));
      }
    }
  }

  /** Sources with their targets, in the order of restoring; a source without one is a blocker. */
  List<Bound> bind(List<CapturedSource> sources, RestoreRequest request) {
    List<Bound> bound = new ArrayList<>();
    for (CapturedSource source : sources) {
      SourceName name = source.header().source();
      RestoreTarget target = request.targets().get(name);
      if (target == null) {
        target = origins.get(name);
      }
      if (target == null) {
        blockers.add(
            new Finding(
                CoreFailure.TARGET_MISSING,
                name.value(),
                "has no target; hint: say target(\"" + name + "\", ...)"));
      } else if (!target.accepts(source.header().kind())) {
        blockers.add(
            new Finding(
                CoreFailure.TARGET_MISSING,
                name.value(),
                "is of kind %s, which %s does not accept"
                    .formatted(source.header().kind(), target.describe().location())));
      } else {
        bound.add(new Bound(source, target));
      }
    }
    bound.sort(Comparator.comparingInt(b -> rank(b.source())));
    return bound;
  }

  /**
   * By the plan's stage, else by the kind of component, so that an empty machine restores in the
   * same order.
   */
  private int rank(CapturedSource source) {
    Stage stage = stages.get(source.header().source());
    if (stage != null) {
      return stage.restoreRank();
    }
    return switch (source.header().component().value()) {
      case "attestation-keys" -> Stage.KEYS.restoreRank();
      case "secrets" -> Stage.SECRETS.restoreRank();
      case "database" -> Stage.DATABASE.restoreRank();
      case "evidence" -> Stage.OBJECTS.restoreRank();
      default -> Stage.FILES.restoreRank();
    };
  }

  private final class Planning implements RestorePlanning {
    private final CapturedSource source;
    private final List<CapturedSource> chain;
    private final Opener opener;
    private final Replays replays;
    private final List<String> steps = new ArrayList<>();
    private final List<String> overwrites = new ArrayList<>();
    private final Map<String, String> advice = new TreeMap<>();
    private @Nullable TargetState state;
    private Undo undo = Undo.IMPOSSIBLE;
    private boolean hasAskedWhereTo;

    Planning(CapturedSource source, List<CapturedSource> chain, Opener opener, Replays replays) {
      this.source = source;
      this.chain = chain;
      this.opener = opener;
      this.replays = replays;
    }

    @Override
    public Optional<RecoveryPoint> point() {
      hasAskedWhereTo = true;
      return replays.point();
    }

    /** A target that knows nothing of points would restore something else than was asked for. */
    void requireReplaying(RestoreTarget target) {
      boolean isReplayable = source.header().span().isPresent();
      if (replays.point().isPresent() && isReplayable && !hasAskedWhereTo) {
        blocker(
            new Finding(
                CoreFailure.TARGET_MISSING,
                source.header().source().value(),
                "is to be replayed up to %s, which %s cannot do"
                    .formatted(replays.point().get(), target.describe().location())));
      }
    }

    @Override
    public Optional<RecordedStream> recorded() throws IOException {
      return replays.recorded(source);
    }

    @Override
    public CapturedSource requested() {
      return source;
    }

    @Override
    public List<CapturedSource> chain() {
      return chain;
    }

    @Override
    public Optional<InputStream> open(ArtifactName artifact) throws IOException {
      return Optional.of(opener.open(source, artifact));
    }

    @Override
    public void state(TargetState now) {
      state = now;
    }

    @Override
    public void undo(Undo how) {
      undo = how;
    }

    @Override
    public void step(String what, long bytes) {
      steps.add(bytes == 0 ? what : String.format(Locale.ROOT, "%s (%,d bytes)", what, bytes));
    }

    @Override
    public void overwrites(String what) {
      overwrites.add(what);
    }

    @Override
    public void needsSpace(Path where, long bytes) {
      try {
        FileStore on = Files.getFileStore(existing(where));
        long needed = space.merge(on, bytes, Long::sum);
        long free = on.getUsableSpace();
        if (free < needed) {
          blocker(
              new Finding(
                  CoreFailure.TARGET_FAILED,
                  where.toString(),
                  String.format(
                      Locale.ROOT,
                      "%,d bytes are to go to its file system, free are %,d",
                      needed,
                      free)));
        }
      } catch (IOException e) {
        advice("free space at " + where, "is unknown: " + e);
      }
    }

    private static Path existing(Path where) throws IOException {
      for (Path path = where.toAbsolutePath(); path != null; path = path.getParent()) {
        if (Files.exists(path)) {
          return path;
        }
      }
      throw new NoSuchFileException(where.toString());
    }

    @Override
    public void advice(String key, String value) {
      advice.put(key, value);
    }

    @Override
    public void blocker(Finding finding) {
      blockers.add(finding);
    }

    RestorePlan.Part part(RestoreTarget target) {
      return new RestorePlan.Part(
          source.header(),
          target.describe(),
          Optional.ofNullable(state),
          undo,
          steps,
          overwrites,
          advice);
    }
  }
}
