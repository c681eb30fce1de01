package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.io.OutputStream;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import org.stellaops.backup.internal.json.Json;
import org.stellaops.backup.internal.json.JsonLinesReader;
import org.stellaops.backup.internal.json.JsonObject;
import org.stellaops.backup.internal.pipeline.Run;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Witness;

/**
 * Lines of a manifest: one header, one line per source, one per artifact, then where the bytes of
 * each artifact are. By the line in {@code docs/format/manifest.md}.
 */
public final class Manifest {
  /** Runs in one line; a line stays below 1 MiB. */
  private static final int RUNS_A_LINE = 1000;

  private static final int ITEMS_A_LINE = 1000;

  private Manifest() {}

  /**
   * What the manifest of a snapshot begins with.
   *
   * @param snapshot which one
   * @param name for humans
   * @param plan name of the plan
   * @param writer name of the log
   * @param time when the run began
   * @param outcome of the run
   * @param library version that wrote it
   * @param findings as text: code, subject, found
   */
  public record Header(
      SnapshotId snapshot,
      String name,
      String plan,
      String writer,
      Instant time,
      Outcome outcome,
      String library,
      List<String> findings) {
    public Header {
      findings = List.copyOf(findings);
    }
  }

  /** Writes lines to a stream. */
  public static final class Writer {
    private final OutputStream out;
    private final IntFunction<ObjectRef> packs;

    /**
     * @param packs names of packs by ordinal
     */
    public Writer(OutputStream out, IntFunction<ObjectRef> packs) {
      this.out = out;
      this.packs = packs;
    }

    /** The first line, and one for each finding. */
    public void header(Header header) throws IOException {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("manifest", 1);
      line.put("snapshot", header.snapshot().value());
      line.put("name", header.name());
      line.put("plan", header.plan());
      line.put("writer", header.writer());
      line.put("taken", header.time().toString());
      line.put("outcome", header.outcome().name());
      line.put("library", header.library());
      write(line);
      for (String finding : header.findings()) {
        write(Map.of("finding", finding));
      }
    }

    /** A source, followed by its inventory and its artifacts. */
    public void source(CapturedSource source) throws IOException {
      write(sourceLine(source));
      List<InventoryItem> items = source.inventory();
      for (int from = 0; from < items.size(); from += ITEMS_A_LINE) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("inventory", source.header().source().value());
        line.put("items", maps(items.subList(from, Math.min(items.size(), from + ITEMS_A_LINE))));
        write(line);
      }
      for (CapturedArtifact artifact : source.artifacts()) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("artifact", source.header().source() + "/" + artifact.name());
        line.put("size", artifact.plainBytes());
        line.put("sha256", artifact.plain().hex());
        write(line);
      }
    }

    /** Where the bytes of an artifact are. */
    public void runs(SourceName source, ArtifactName artifact, Runs runs) throws IOException {
      String of = source + "/" + artifact;
      for (int from = 0; from < runs.size(); from += RUNS_A_LINE) {
        List<List<Object>> rows = new ArrayList<>();
        for (int i = from; i < Math.min(runs.size(), from + RUNS_A_LINE); i++) {
          Run run = runs.get(i);
          rows.add(
              List.of(
                  packs.apply(run.pack()).packPath(),
                  run.offset(),
                  run.storedBytes(),
                  run.plainBytes()));
        }
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("of", of);
        line.put("runs", rows);
        write(line);
      }
    }

    private void write(Map<String, Object> line) throws IOException {
      byte[] json = Json.write(line);
      if (json.length >= JsonLinesReader.MAX_LINE_BYTES) {
        throw new BackupException.Refused(
            CoreFailure.TOO_LARGE,
            "a line of the manifest has %d bytes, allowed 1 MiB".formatted(json.length));
      }
      out.write(json);
      out.write('\n');
    }
  }

  private static Map<String, Object> sourceLine(CapturedSource source) {
    CaptureHeader header = source.header();
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("source", header.source().value());
    line.put("component", header.component().value());
    line.put("kind", header.kind().value());
    line.put("taken", header.time().toString());
    line.put("outcome", header.outcome().name());
    line.put("parents", header.parents().stream().map(SnapshotId::value).toList());
    line.put("plain-bytes", header.plainBytes());
    line.put("stored-bytes", header.storedBytes());
    line.put("new-bytes", header.newBytes());
    header
        .span()
        .ifPresent(
            span -> {
              line.put("span", List.of(map(span.start()), map(span.end())));
              line.put("recoverable-from", span.recoverableFrom().toString());
            });
    line.put("witnesses", source.witnesses().stream().map(Manifest::map).toList());
    line.put("versions", source.versions());
    line.put("properties", source.properties());
    return line;
  }

  private static List<Map<String, Object>> maps(List<InventoryItem> items) {
    return items.stream().map(Manifest::map).toList();
  }

  private static Map<String, Object> map(InventoryItem item) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", item.name());
    map.put("count", item.count());
    map.put("bytes", item.bytes());
    item.content().ifPresent(d -> map.put("sha256", d.hex()));
    return map;
  }

  private static Map<String, Object> map(Position position) {
    return Map.of(
        "lineage", position.lineage(),
        "branch", position.branch(),
        "offset", position.offset(),
        "text", position.text());
  }

  private static Map<String, Object> map(Witness witness) {
    return Map.of(
        "what", witness.what(), "sequence", witness.sequence(), "head", witness.head().hex());
  }

  /** A captured source as one JSON object with its artifacts: what a writer remembers of it. */
  public static byte[] remembered(CapturedSource source) {
    Map<String, Object> line = sourceLine(source);
    line.put("snapshot", source.header().snapshot().value());
    line.put("sequence", source.header().sequence());
    line.put("items", maps(source.inventory()));
    line.put(
        "artifacts",
        source.artifacts().stream()
            .map(
                a ->
                    Map.of(
                        "name",
                        a.name().value(),
                        "size",
                        a.plainBytes(),
                        "sha256",
                        a.plain().hex()))
            .toList());
    return Json.write(line);
  }

  /** Reads {@link #remembered}. */
  public static CapturedSource remembered(byte[] json, String what) throws IOException {
    try {
      return remembered(Json.read(json, what));
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s: %s".formatted(what, Names.printable(String.valueOf(e.getMessage()))));
    }
  }

  private static CapturedSource remembered(JsonObject line) throws BackupException {
    List<CapturedArtifact> artifacts = new ArrayList<>();
    for (JsonObject artifact : line.objects("artifacts")) {
      artifacts.add(
          new CapturedArtifact(
              ArtifactName.of(artifact.text("name")),
              artifact.number("size"),
              Digest.parse(artifact.text("sha256"))));
    }
    return with(
        source(line, new SnapshotId(line.text("snapshot")), line.number("sequence")),
        items(line),
        artifacts);
  }

  /** The same source with what other lines say of it. */
  static CapturedSource with(
      CapturedSource source, List<InventoryItem> inventory, List<CapturedArtifact> artifacts) {
    return new CapturedSource(
        source.header(),
        artifacts,
        inventory,
        source.witnesses(),
        source.versions(),
        source.properties());
  }

  /** What its own line says: no inventory and no artifacts. */
  static CapturedSource source(JsonObject line, SnapshotId snapshot, long sequence)
      throws BackupException {
    List<SnapshotId> parents = new ArrayList<>();
    for (Object parent : line.list("parents")) {
      parents.add(new SnapshotId(String.valueOf(parent)));
    }
    CaptureHeader header =
        new CaptureHeader(
            snapshot,
            SourceName.of(line.text("source")),
            Component.of(line.text("component")),
            SourceKind.of(line.text("kind")),
            Instant.parse(line.text("taken")),
            sequence,
            Outcome.valueOf(line.text("outcome")),
            parents,
            span(line),
            line.number("plain-bytes"),
            line.number("stored-bytes"),
            line.number("new-bytes"));
    return new CapturedSource(
        header,
        List.of(),
        List.of(),
        witnesses(line),
        line.texts("versions"),
        line.texts("properties"));
  }

  static List<InventoryItem> items(JsonObject line) throws BackupException {
    List<InventoryItem> items = new ArrayList<>();
    for (JsonObject item : line.objects("items")) {
      Optional<String> digest = item.optionalText("sha256");
      items.add(
          digest.isPresent()
              ? InventoryItem.of(
                  item.text("name"),
                  item.number("count"),
                  item.number("bytes"),
                  Digest.parse(digest.get()))
              : InventoryItem.of(item.text("name"), item.number("count"), item.number("bytes")));
    }
    return items;
  }

  private static Optional<CaptureSpan> span(JsonObject line) throws BackupException {
    if (!line.has("span")) {
      return Optional.empty();
    }
    List<JsonObject> ends = line.objects("span");
    if (ends.size() != 2) {
      throw line.malformed("span", "two positions");
    }
    return Optional.of(
        new CaptureSpan(
            position(ends.get(0)),
            position(ends.get(1)),
            Instant.parse(line.text("recoverable-from"))));
  }

  private static Position position(JsonObject position) throws BackupException {
    return new Position(
        position.text("lineage"),
        position.signed("branch"),
        position.signed("offset"),
        position.text("text"));
  }

  private static List<Witness> witnesses(JsonObject line) throws BackupException {
    List<Witness> witnesses = new ArrayList<>();
    for (JsonObject witness : line.objects("witnesses")) {
      witnesses.add(
          new Witness(
              witness.text("what"),
              witness.number("sequence"),
              Digest.parse(witness.text("head"))));
    }
    return witnesses;
  }
}
