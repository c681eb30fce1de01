package org.stellaops.backup.files;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.internal.json.Json;
import org.stellaops.backup.internal.json.JsonLinesReader;
import org.stellaops.backup.internal.json.JsonObject;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.ParentCapture;

/**
 * Which sections a capture had, by what their members looked like: what a source remembers from one
 * capture to the next. A line of JSON per section, {@code docs/format/files.md}.
 */
final class SectionTable {
  static final ArtifactName NAME = ArtifactName.of("files.sections");

  /** Far more than a capture can have artifacts. */
  private static final int MOST_SECTIONS = 100_000;

  private SectionTable() {}

  /**
   * A section.
   *
   * @param number its place in its capture, from 1
   * @param files how many regular files
   * @param bytes of these
   */
  record Section(int number, long files, long bytes) {
    /** The archive. */
    ArtifactName tar() {
      return FileSource.tar(number);
    }

    /** Its table of contents. */
    ArtifactName index() {
      return FileSource.index(number);
    }
  }

  /** What a session's parent remembers; nothing, and a finding, where that cannot be read. */
  static Map<Digest, Section> of(CaptureSession session) throws IOException {
    Optional<ParentCapture> parent = session.parent();
    if (parent.isEmpty()) {
      return Map.of();
    }
    try {
      Optional<InputStream> lines = parent.get().recall(NAME);
      return lines.isEmpty() ? Map.of() : read(lines.get());
    } catch (BackupException.Corrupt | BackupException.Crypto e) {
      session.finding(
          new Finding(
              CoreFailure.CORRUPT_OBJECT,
              NAME.value(),
              "what was remembered is lost, every file is read: " + e.getMessage()));
      return Map.of();
    }
  }

  private static Map<Digest, Section> read(InputStream in) throws IOException {
    Map<Digest, Section> sections = new HashMap<>();
    try (var lines = new JsonLinesReader(in, NAME.value())) {
      for (Optional<JsonObject> line = lines.next(); line.isPresent(); line = lines.next()) {
        sections.put(digest(line.get()), section(line.get()));
        if (sections.size() > MOST_SECTIONS) {
          throw new BackupException.Corrupt(
              CoreFailure.MALFORMED, "%s has more than %d lines".formatted(NAME, MOST_SECTIONS));
        }
      }
    }
    return sections;
  }

  private static Digest digest(JsonObject line) throws BackupException {
    try {
      return Digest.parse(line.text("states"));
    } catch (IllegalArgumentException e) {
      throw new BackupException.Corrupt(CoreFailure.MALFORMED, NAME + ": states is no digest", e);
    }
  }

  private static Section section(JsonObject line) throws BackupException {
    long number = line.number("section");
    if (number < 1 || number > MOST_SECTIONS) {
      throw line.malformed("section", "a place from 1 on");
    }
    return new Section((int) number, line.number("files"), line.number("bytes"));
  }

  /** Takes the sections of a capture. */
  static final class Spool {
    private final List<byte[]> lines = new ArrayList<>();

    /** A section that need not be read again as long as its members look like this. */
    void add(Digest states, Section section) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("section", section.number());
      line.put("states", states.hex());
      line.put("files", section.files());
      line.put("bytes", section.bytes());
      lines.add(Json.write(line));
    }

    void writeTo(ArtifactOutput out) throws IOException {
      for (byte[] line : lines) {
        out.write(line, 0, line.length);
        out.write('\n');
      }
    }
  }
}
