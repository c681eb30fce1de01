package org.stellaops.backup.postgres.internal.local;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.postgres.PostgresFailure;

/** The end of a server's log, and what it means. */
final class ServerLog {
  private static final int MAX_TAIL_BYTES = 64 << 10;
  private static final int MAX_LAST_LINES = 12;
  private static final int MAX_TEXT = 4000;

  /** Messages of src/backend/access/transam/xlogrecovery.c, xlogarchive.c and utils/init. */
  private static final Map<String, PostgresFailure> KNOWN = known();

  private final Path file;

  ServerLog(Path file) {
    this.file = file;
  }

  /** The failure that the log tells of; START_FAILED where it is none of the known ones. */
  PostgresFailure failure() throws IOException {
    String tail = tail();
    return KNOWN.entrySet().stream()
        .filter(known -> tail.contains(known.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(PostgresFailure.START_FAILED);
  }

  /** What ended the server first, then the last lines that it wrote. */
  String text() throws IOException {
    List<String> lines = tail().lines().toList();
    List<String> chosen = new ArrayList<>();
    boolean isFatal = false;
    for (String line : lines) {
      boolean isDetail = isFatal && line.matches("(DETAIL|HINT|CONTEXT):.*");
      isFatal = line.matches("(FATAL|PANIC):.*") || isDetail;
      if (isFatal) {
        chosen.add(line);
      }
    }
    lines.stream()
        .skip(Math.max(0, lines.size() - MAX_LAST_LINES))
        .filter(line -> !chosen.contains(line))
        .forEach(chosen::add);
    String text = String.join(" | ", chosen);
    return text.length() > MAX_TEXT ? text.substring(0, MAX_TEXT) + "…" : text;
  }

  private String tail() throws IOException {
    try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "r")) {
      long skipped = Math.max(0, log.length() - MAX_TAIL_BYTES);
      byte[] bytes = new byte[(int) (log.length() - skipped)];
      log.seek(skipped);
      log.readFully(bytes);
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  private static Map<String, PostgresFailure> known() {
    Map<String, PostgresFailure> known = new LinkedHashMap<>();
    known.put(
        "recovery ended before configured recovery target was reached",
        PostgresFailure.TARGET_NOT_REACHED);
    known.put(
        "requested recovery stop point is before consistent recovery point",
        PostgresFailure.TARGET_TOO_EARLY);
    known.put(
        "recovery aborted because of insufficient parameter settings",
        PostgresFailure.SETTINGS_TOO_LOW);
    known.put("could not locate required checkpoint record", PostgresFailure.WAL_INCOMPLETE);
    known.put("could not locate a valid checkpoint record", PostgresFailure.WAL_INCOMPLETE);
    known.put("WAL ends before end of online backup", PostgresFailure.WAL_INCOMPLETE);
    known.put("WAL ends before consistent recovery point", PostgresFailure.WAL_INCOMPLETE);
    known.put("has wrong size:", PostgresFailure.WAL_INCOMPLETE);
    known.put("database files are incompatible with server", PostgresFailure.PROGRAM_VERSION);
    known.put("lock file \"postmaster.pid\" already exists", PostgresFailure.SERVER_RUNS);
    known.put("execution of the PostgreSQL server is not permitted", PostgresFailure.RUNS_AS_ROOT);
    return known;
  }
}
