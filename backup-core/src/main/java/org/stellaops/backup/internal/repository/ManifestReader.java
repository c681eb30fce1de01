package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.io.InputStream;
import java.time.DateTimeException;
import java.util.ArrayDeque;
import java.util.ArrayList;
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
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;

/** Reads a manifest as a stream: its sources at once, the runs of one artifact at a time. */
public final class ManifestReader {
  private static final int MAX_ARTIFACTS = 100_000;

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
    Map<String, JsonObject> sources = new LinkedHashMap<>();
    Map<String, List<CapturedArtifact>> artifacts = new LinkedHashMap<>();
    int count = 0;
    try (JsonLinesReader lines = new JsonLinesReader(manifest, what)) {
      for (Optional<JsonObject> line = lines.next(); line.isPresent(); line = lines.next()) {
        JsonObject object = line.get();
        if (object.has("manifest")) {
          checkHeader(object, snapshot);
        } else if (object.has("source")) {
          sources.put(object.text("source"), object);
          artifacts.put(object.text("source"), new ArrayList<>());
        } else if (object.has("artifact")) {
          if (++count > MAX_ARTIFACTS) {
            throw new BackupException.Corrupt(
                CoreFailure.MALFORMED,
                "%s names more than %d artifacts".formatted(what, MAX_ARTIFACTS));
          }
          addArtifact(object, artifacts);
        }
      }
      List<CapturedSource> captured = new ArrayList<>();
      for (Map.Entry<String, JsonObject> source : sources.entrySet()) {
        captured.add(
            Manifest.source(
                source.getValue(),
                snapshot,
                sequence,
                artifacts.getOrDefault(source.getKey(), List.of())));
      }
      return captured;
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s: %s".formatted(what, Names.printable(String.valueOf(e.getMessage()))));
    }
  }

  private static void checkHeader(JsonObject header, SnapshotId snapshot) throws BackupException {
    if (header.number("manifest") != 1) {
      throw new BackupException.Corrupt(
          CoreFailure.UNSUPPORTED_FORMAT, "manifest of format " + header.number("manifest"));
    }
    if (!header.text("snapshot").equals(snapshot.value())) {
      throw new BackupException.Corrupt(
          CoreFailure.CHAIN_BROKEN,
          "the manifest is of snapshot %s, its entry of %s"
              .formatted(Names.printable(header.text("snapshot")), snapshot));
    }
  }

  private static void addArtifact(JsonObject object, Map<String, List<CapturedArtifact>> artifacts)
      throws BackupException {
    String path = object.text("artifact");
    int slash = path.indexOf('/');
    List<CapturedArtifact> ofSource = slash < 0 ? null : artifacts.get(path.substring(0, slash));
    if (ofSource == null) {
      throw object.malformed("artifact", "of a source that was named before it");
    }
    ofSource.add(
        new CapturedArtifact(
            ArtifactName.of(path.substring(slash + 1)),
            object.number("size"),
            Digest.parse(object.text("sha256"))));
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
          read(line.get());
        }
      }
      return Optional.of(ready.remove());
    }

    private void read(JsonObject line) throws BackupException {
      for (Object row : line.list("runs")) {
        ready.add(run(row, line));
      }
    }

    private NamedRun run(Object row, JsonObject line) throws BackupException {
      if (row instanceof List<?> columns
          && columns.size() == 4
          && columns.get(0) instanceof String pack
          && columns.get(1) instanceof Number offset
          && columns.get(2) instanceof Number stored
          && columns.get(3) instanceof Number plain) {
        ObjectRef ref = ObjectRef.parse("w/" + writer + "/packs/" + pack + ".age");
        boolean isInPack =
            offset.longValue() >= 0
                && stored.longValue() > 0
                && plain.longValue() > 0
                && stored.longValue() <= MAX_RUN_BYTES
                && offset.longValue() + stored.longValue() <= ref.lengthBytes();
        if (isInPack) {
          return new NamedRun(ref, offset.intValue(), stored.intValue(), plain.longValue());
        }
      }
      throw line.malformed("runs", "ranges within packs");
    }

    @Override
    public void close() throws IOException {
      lines.close();
    }
  }

  /** Largest pack of the format. */
  private static final long MAX_RUN_BYTES = 64L << 20;
}
