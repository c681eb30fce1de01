package org.stellaops.backup.files;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.internal.tar.TarIndex;

/** What an index would meet in a destination. */
final class FileConflicts {
  /** Named at most; the rest is counted. */
  private static final int NAMED = 20;

  private final List<String> named = new ArrayList<>();
  private final List<String> replaced = new ArrayList<>();
  private long conflicts;
  private long replacements;
  private long files;
  private long bytes;

  private FileConflicts() {}

  /** Reads the index to its end. */
  static FileConflicts of(TarIndex.Lines index, FileTarget.Options options) throws IOException {
    var destination = new Destination(options.root());
    var found = new FileConflicts();
    for (var line = index.next(); line.isPresent(); line = index.next()) {
      Destination.Verdict verdict = destination.look(line.get());
      if (options.restoresStock() || !isStock(line.get())) {
        found.add(line.get(), verdict, options.replaces());
      }
    }
    return found;
  }

  /** Whether the file is as the product ships it. */
  static boolean isStock(TarIndex.Line line) {
    return FileCapture.STOCK.equals(line.more().get(FileCapture.ORIGIN));
  }

  private void add(TarIndex.Line line, Destination.Verdict verdict, boolean replaces) {
    files++;
    bytes += line.sizeBytes();
    boolean isReplaced = verdict == Destination.Verdict.OCCUPIED && replaces;
    if (isReplaced) {
      replacements++;
      note(replaced, line);
    } else if (verdict == Destination.Verdict.OCCUPIED || verdict == Destination.Verdict.BLOCKED) {
      conflicts++;
      note(named, line);
    }
  }

  private static void note(List<String> names, TarIndex.Line line) {
    if (names.size() < NAMED) {
      names.add(line.path());
    }
  }

  boolean isFree() {
    return conflicts == 0;
  }

  /** Those that stand in the way. */
  String conflicts() {
    return list(named, conflicts);
  }

  /** Those that are replaced, at most so many, and one line for the rest. */
  List<String> replaced() {
    List<String> lines = new ArrayList<>(replaced);
    if (replacements > NAMED) {
      lines.add("and %d more".formatted(replacements - NAMED));
    }
    return lines;
  }

  private static String list(List<String> names, long count) {
    String list = String.join(", ", names);
    return count > names.size() ? list + " and %d more".formatted(count - names.size()) : list;
  }

  long files() {
    return files;
  }

  long bytes() {
    return bytes;
  }
}
