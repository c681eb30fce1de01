package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.io.InputStream;
import java.time.DateTimeException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.internal.json.JsonLinesReader;
import org.stellaops.backup.internal.json.JsonObject;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;

/** Reads a manifest as a stream: its sources at once, the runs of one artifact at a time. */
public final class ManifestReader {
  private static final int MAX_ARTIFACTS = 100_000;

  /** What sources say about themselves stays in memory, several times as large as it is written. */
  private static final long MAX_SOURCE_BYTES = 16L << 20;

  private ManifestReader() {}

  /** Where one run is, as a manifest says it. */
  public record NamedRun(ObjectRef pack, int offset, int storedBytes, long plainBytes) {}

  /**
   * The sources of a snapshot.
   *
   * @param manifest plain lines; closed
   */
  public static List<CapturedSource> sources(
      InputStream manifest, SnapshotId snapshot, long sequence, String what) throws IOException {
    Sources sources = new Sources(snapshot, sequence, what);
    try (JsonLinesReader lines = new JsonLinesReader(manifest, what)) {
      for (Optional<JsonObject> line = lines.next(); line.isPresent(); line = lines.next()) {
        sources.take(line.get(), lines.lineBytes());
      }
      return sources.captured();
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s: %s".formatted(what, Names.printable(String.valueOf(e.getMessage()))));
    }
  }

  /** Collects sources and their artifacts, and no more of them than fit in memory. */
  private static final class Sources {
    private final SnapshotId snapshot;
    private final long sequence;
    private final String what;
    private final Map<String, CapturedSource> sources = new LinkedHashMap<>();
    private final Map<String, List<InventoryItem>> inventories = new HashMap<>();
    private final Map<String, Map<ArtifactName, CapturedArtifact>> artifacts = new HashMap<>();
    private boolean hasHeader;
    private long sourceBytes;
    private int artifactCount;

    Sources(SnapshotId snapshot, long sequence, String what) {
      this.snapshot = snapshot;
      this.sequence = sequence;
      this.what = what;
    }

    void take(JsonObject line, int lineBytes) throws BackupException {
      if (!hasHeader) {
        checkHeader(line);
        hasHeader = true;
      } else if (line.has("source")) {
        addSource(line, lineBytes);
      } else if (line.has("inventory")) {
        addInventory(line, lineBytes);
      } else if (line.has("artifact")) {
        addArtifact(line);
      }
    }

    private void checkHeader(JsonObject header) throws BackupException {
      if (header.number("manifest") != 1) {
        throw new BackupException.Corrupt(
            CoreFailure.UNSUPPORTED_FORMAT,
            "%s has format %d".formatted(what, header.number("manifest")));
      }
      if (!header.text("snapshot").equals(snapshot.value())) {
        throw new BackupException.Corrupt(
            CoreFailure.CHAIN_BROKEN,
            "%s is of snapshot %s, its entry of %s"
                .formatted(what, Names.printable(header.text("snapshot")), snapshot));
      }
    }

    private void addSource(JsonObject line, int lineBytes) throws BackupException {
      count(lineBytes);
      String name = line.text("source");
      if (sources.putIfAbsent(name, Manifest.source(line, snapshot, sequence)) != null) {
        throw line.malformed("source", "named once");
      }
      inventories.put(name, new ArrayList<>());
      artifacts.put(name, new LinkedHashMap<>());
    }

    private void addInventory(JsonObject line, int lineBytes) throws BackupException {
      count(lineBytes);
      List<InventoryItem> ofSource = inventories.get(line.text("inventory"));
      if (ofSource == null) {
        throw line.malformed("inventory", "of a source that was named before it");
      }
      ofSource.addAll(Manifest.items(line));
    }

    private void count(int lineBytes) throws BackupException {
      sourceBytes += lineBytes;
      if (sourceBytes > MAX_SOURCE_BYTES) {
        throw tooMany("describes its sources in more than %d bytes".formatted(MAX_SOURCE_BYTES));
      }
    }

    private void addArtifact(JsonObject line) throws BackupException {
      if (++artifactCount > MAX_ARTIFACTS) {
        throw tooMany("names more than %d artifacts".formatted(MAX_ARTIFACTS));
      }
      String path = line.text("artifact");
      int slash = path.indexOf('/');
      Map<ArtifactName, CapturedArtifact> ofSource =
          slash < 0 ? null : artifacts.get(path.substring(0, slash));
      if (ofSource == null) {
        throw line.malformed("artifact", "of a source that was named before it");
      }
      ArtifactName name = ArtifactName.of(path.substring(slash + 1));
      CapturedArtifact artifact =
          new CapturedArtifact(name, line.number("size"), Digest.parse(line.text("sha256")));
      if (ofSource.put(name, artifact) != null) {
        throw line.malformed("artifact", "named once");
      }
    }

    private BackupException tooMany(String found) {
      return new BackupException.Corrupt(CoreFailure.MALFORMED, what + " " + found);
    }

    List<CapturedSource> captured() throws BackupException {
      if (!hasHeader) {
        throw new BackupException.Corrupt(CoreFailure.MALFORMED, what + " is empty");
      }
      List<CapturedSource> captured = new ArrayList<>();
      for (Map.Entry<String, CapturedSource> named : sources.entrySet()) {
        String name = named.getKey();
        captured.add(
            Manifest.with(
                named.getValue(),
                inventories.getOrDefault(name, List.of()),
                List.copyOf(artifacts.getOrDefault(name, Map.of()).values())));
      }
      return captured;
    }
  }

  /** Takes the runs of one line. */
  @FunctionalInterface
  public interface RunsTaker {
    /**
     * @param of {@code <source>/<artifact>}
     * @param line its runs are read by {@link #runs(JsonObject, String)}
     */
    void take(String of, JsonObject line) throws IOException;
  }

  /**
   * Every line that says where bytes are, in order.
   *
   * @param lines plain lines; closed
   */
  public static void eachRuns(InputStream lines, String what, RunsTaker taker) throws IOException {
    try (JsonLinesReader reader = new JsonLinesReader(lines, what)) {
      for (Optional<JsonObject> line = reader.next(); line.isPresent(); line = reader.next()) {
        if (line.get().has("of")) {
          taker.take(line.get().text("of"), line.get());
        }
      }
    }
  }

  /**
   * The runs of such a line.
   *
   * @param writer whose packs they are in
   */
  public static List<NamedRun> runs(JsonObject line, String writer) throws BackupException {
    List<NamedRun> runs = new ArrayList<>();
    for (Object row : line.list("runs")) {
      runs.add(run(row, line, writer));
    }
    return runs;
  }

  private static NamedRun run(Object row, JsonObject line, String writer) throws BackupException {
    if (row instanceof List<?> columns
        && columns.size() == 4
        && columns.get(0) instanceof String pack
        && columns.get(1) instanceof Integer offset
        && columns.get(2) instanceof Integer stored
        && columns.get(3) instanceof Number plain
        && (plain instanceof Integer || plain instanceof Long)) {
      ObjectRef ref = ObjectRef.parse("w/" + writer + "/packs/" + pack + ".age");
      boolean isInPack =
          offset >= 0
              && stored > 0
              && plain.longValue() > 0
              && stored <= MAX_RUN_BYTES
              && offset <= ref.lengthBytes() - stored;
      if (isInPack) {
        return new NamedRun(ref, offset, stored, plain.longValue());
      }
    }
    throw line.malformed("runs", "ranges within packs");
  }

  /** The runs of one artifact, read on from the manifest as they are asked for. */
  public static final class RunLines implements AutoCloseable {
    private final JsonLinesReader lines;
    private final String of;
    private final String writer;
    private final ArrayDeque<NamedRun> ready = new ArrayDeque<>();

    /**
     * @param manifest plain lines; closed with this
     */
    public RunLines(
        InputStream manifest,
        SourceName source,
        ArtifactName artifact,
        String writer,
        String what) {
      this.lines = new JsonLinesReader(manifest, what);
      this.of = source + "/" + artifact;
      this.writer = writer;
    }

    /** The next run; empty after the last. */
    public Optional<NamedRun> next() throws IOException {
      while (ready.isEmpty()) {
        Optional<JsonObject> line = lines.next();
        if (line.isEmpty()) {
          return Optional.empty();
        }
        if (line.get().has("of") && line.get().text("of").equals(of)) {
          ready.addAll(runs(line.get(), writer));
        }
      }
      return Optional.of(ready.remove());
    }

    @Override
    public void close() throws IOException {
      lines.close();
    }
  }

  /** Largest pack of the format. */
  private static final long MAX_RUN_BYTES = 64L << 20;
}
