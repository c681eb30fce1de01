package org.stellaops.backup.docs;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * One row of {@code docs/CAPABILITIES.md}.
 *
 * @param profile the Maven profile its tests run in, {@code default} for none
 */
record Capability(
    String id, String title, String state, String api, String profile, List<Proof> proofs) {

  /** A test class, or one method of it when {@code method} is not empty. */
  record Proof(String className, String method, String profile) {
    @Override
    public String toString() {
      return method.isEmpty() ? className : className + "#" + method;
    }
  }

  private static final Pattern ROW = Pattern.compile("\\| *([A-Z]+-\\d+) *\\|.*\\|");
  private static final Pattern PROOF =
      Pattern.compile("([\\w.$]+\\.[\\w$]+)(?:#([\\w$]+))?(?: *\\((\\w+)\\))?");

  /** Whether the row claims that something works, and so has to be proved. */
  boolean claims() {
    return state.equals("done") || state.equals("partial");
  }

  /** All rows, in the order of the document; other lines are prose. */
  static List<Capability> parse(List<String> lines) {
    List<Capability> rows = new ArrayList<>();
    for (String line : lines) {
      if (ROW.matcher(line.strip()).matches()) {
        rows.add(row(line.strip()));
      }
    }
    return rows;
  }

  private static Capability row(String line) {
    List<String> cells = new ArrayList<>();
    for (String cell : line.substring(1, line.length() - 1).split("(?<!\\\\)\\|", -1)) {
      cells.add(cell.strip());
    }
    if (cells.size() != 6) {
      throw new IllegalArgumentException(cells.size() + " cells instead of 6: " + line);
    }
    String profile = cells.get(4);
    return new Capability(
        cells.get(0),
        cells.get(1),
        cells.get(2),
        cells.get(3),
        profile,
        proofs(line, cells.get(5), profile));
  }

  private static List<Proof> proofs(String line, String cell, String profile) {
    List<Proof> proofs = new ArrayList<>();
    if (cell.equals("–")) {
      return proofs;
    }
    for (String one : cell.replace("`", "").split(",")) {
      var proof = PROOF.matcher(one.strip());
      if (!proof.matches()) {
        throw new IllegalArgumentException("no test is called '" + one.strip() + "': " + line);
      }
      proofs.add(
          new Proof(
              proof.group(1),
              proof.group(2) == null ? "" : proof.group(2),
              proof.group(3) == null ? profile : proof.group(3)));
    }
    return proofs;
  }
}
