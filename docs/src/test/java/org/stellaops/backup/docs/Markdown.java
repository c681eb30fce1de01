package org.stellaops.backup.docs;

import java.util.ArrayList;
import java.util.List;

/** Fenced blocks of a Markdown document. */
final class Markdown {
  /**
   * A fenced block.
   *
   * @param section the title of the section of level two that it stands in, or empty
   * @param language what follows the opening fence
   * @param before the last line above the fence that is not blank, or empty
   */
  record Block(String section, String language, String before, List<String> lines) {}

  private Markdown() {}

  static List<Block> blocks(List<String> document) {
    List<Block> blocks = new ArrayList<>();
    String section = "";
    String before = "";
    Block open = null;
    for (String line : document) {
      if (open != null) {
        if (line.startsWith("```")) {
          blocks.add(open);
          open = null;
          before = "";
        } else {
          open.lines().add(line);
        }
      } else if (line.startsWith("```")) {
        open = new Block(section, line.substring(3).strip(), before, new ArrayList<>());
      } else {
        if (line.startsWith("## ")) {
          section = line.substring(3).strip();
        }
        before = line.isBlank() ? before : line.strip();
      }
    }
    if (open != null) {
      throw new IllegalArgumentException("a fenced block is not closed in section " + section);
    }
    return blocks;
  }
}
