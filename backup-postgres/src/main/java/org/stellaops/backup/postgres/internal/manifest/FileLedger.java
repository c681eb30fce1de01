package org.stellaops.backup.postgres.internal.manifest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Settles the files that were found against those that the manifest declares, whichever is known
 * first: while a backup streams by, the manifest comes last; in a restore it is read first. What is
 * settled is forgotten; so at most one side is in memory, about 300 bytes a file.
 *
 * <p>WAL need not be declared: the manifest covers it by ranges of LSNs, not by file.
 */
public final class FileLedger {
  private static final int MAX_PROBLEMS = 50;

  private final Map<String, FileContents> declared = new HashMap<>();
  private final Map<String, FileContents> found = new HashMap<>();
  private final List<String> problems = new ArrayList<>();
  private long files;
  private long bytes;

  /** The manifest says so. */
  public void declare(String path, FileContents contents) {
    if (settle(path, contents, found.remove(path)) || declared.put(path, contents) == null) {
      return;
    }
    problem(path + ": declared twice");
  }

  /** An archive holds this. */
  public void find(String path, FileContents contents) {
    files++;
    bytes += contents.sizeBytes();
    FileContents expected = declared.remove(path);
    if (expected != null) {
      settle(path, expected, contents);
    } else if (found.put(path, contents) != null) {
      problem(path + ": there twice");
    }
  }

  /** What does not fit so far, at most fifty of them. */
  public List<String> problems() {
    return List.copyOf(problems);
  }

  /** What does not fit when there is no more to come: also what only one side knows. */
  public List<String> close() {
    declared.keySet().stream()
        .filter(FileLedger::isCovered)
        .sorted()
        .forEach(path -> problem(path + ": declared in backup_manifest, but missing"));
    found.keySet().stream()
        .filter(FileLedger::isCovered)
        .sorted()
        .forEach(path -> problem(path + ": there, but not declared in backup_manifest"));
    return problems();
  }

  /** How many files were found. */
  public long files() {
    return files;
  }

  /** How many bytes they have. */
  public long bytes() {
    return bytes;
  }

  private boolean settle(String path, FileContents expected, @Nullable FileContents actual) {
    if (actual == null) {
      return false;
    }
    if (!expected.equals(actual)) {
      problem("%s: expected %s, found %s".formatted(path, expected, actual));
    }
    return true;
  }

  private void problem(String what) {
    if (problems.size() < MAX_PROBLEMS) {
      problems.add(what);
    }
  }

  private static boolean isCovered(String path) {
    return !path.startsWith("pg_wal/");
  }
}
