package org.stellaops.backup.examples.quickstart;

import java.util.ArrayList;
import java.util.List;

/** A table with aligned columns. */
final class TextTable {
  private final List<List<String>> rows = new ArrayList<>();
  private final String alignment;

  /**
   * An empty table.
   *
   * @param alignment one letter per column: {@code <} left, {@code >} right
   */
  TextTable(String alignment) {
    this.alignment = alignment;
  }

  TextTable row(String... cells) {
    rows.add(List.of(cells));
    return this;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < row.size(); column++) {
        line.append(column == 0 ? "  " : "   ").append(padded(row.get(column), column));
      }
      text.append(line.toString().stripTrailing()).append(System.lineSeparator());
    }
    return text.toString();
  }

  private String padded(String cell, int column) {
    int width = rows.stream().mapToInt(r -> r.get(column).length()).max().orElse(0);
    String space = " ".repeat(width - cell.length());
    return alignment.charAt(column) == '>' ? space + cell : cell + space;
  }
}
