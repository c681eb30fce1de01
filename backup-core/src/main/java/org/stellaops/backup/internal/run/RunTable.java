package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.json.JsonObject;
import org.stellaops.backup.internal.pipeline.Run;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.internal.repository.ManifestReader;
import org.stellaops.backup.internal.repository.ManifestReader.NamedRun;
import org.stellaops.backup.internal.repository.PackNames;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.SourceName;

/**
 * Where the bytes of many artifacts are, in memory: 24 bytes a run, and about 60 a pack. What has
 * too many runs to be held, or is malformed, is left out, and whoever wants it reads the lines
 * himself.
 */
final class RunTable {
  /** 5 MB, of all artifacts together, and 13 MB where each is in a pack of its own. */
  private static final int MOST_RUNS = 200_000;

  private final String writer;
  private final int mostOfOne;
  private final PackNames packs;
  private final Map<String, Runs> runs = new HashMap<>();
  private final Set<String> leftOut = new HashSet<>();
  private int size;

  private RunTable(String writer, int mostOfOne) {
    this.writer = writer;
    this.mostOfOne = mostOfOne;
    this.packs = new PackNames(writer);
  }

  /** Knows nothing, not even what has no bytes. */
  static RunTable none() {
    return new RunTable("", 0);
  }

  /**
   * Reads lines as a manifest has them.
   *
   * @param lines closed
   * @param writer whose packs they name
   * @param mostOfOne artifacts with more runs are left out
   */
  static RunTable read(InputStream lines, String writer, int mostOfOne, String what)
      throws IOException {
    RunTable table = new RunTable(writer, mostOfOne);
    ManifestReader.eachRuns(lines, what, table::take);
    return table;
  }

  private void take(String of, JsonObject line) {
    if (leftOut.contains(of)) {
      return;
    }
    try {
      List<NamedRun> more = ManifestReader.runs(line, writer);
      Runs all = runs.computeIfAbsent(of, name -> new Runs());
      if (all.size() + more.size() > mostOfOne || size + more.size() > MOST_RUNS) {
        leaveOut(of);
        return;
      }
      more.forEach(run -> all.add(numbered(run)));
      size += more.size();
    } catch (BackupException malformed) {
      leaveOut(of);
    }
  }

  private void leaveOut(String of) {
    runs.remove(of);
    leftOut.add(of);
  }

  private Run numbered(NamedRun run) {
    return new Run(packs.add(run.pack()), run.offset(), run.storedBytes(), run.plainBytes());
  }

  /** The runs of an artifact, none where it is empty; absent where they are not held. */
  Optional<Runs> of(SourceName source, ArtifactName artifact) {
    String of = source + "/" + artifact;
    return mostOfOne == 0 || leftOut.contains(of)
        ? Optional.empty()
        : Optional.of(runs.getOrDefault(of, new Runs()));
  }

  /** A run with its pack's name. */
  NamedRun named(Run run) {
    return new NamedRun(packs.get(run.pack()), run.offset(), run.storedBytes(), run.plainBytes());
  }

  /** The packs that all runs are in, numbered as the runs have it. */
  PackNames packs() {
    return packs;
  }
}
