package org.stellaops.backup.spi;

/**
 * How an artifact is cut into chunks, and whether the writer can read it again.
 *
 * @param cut where chunks end
 * @param isRemembered also sealed to the writer's own state identity, so that its next run can read
 *     it without an owner's identity
 */
public record Form(Cut cut, boolean isRemembered) {
  /** Cut by content: what is inserted or removed renews its neighbourhood only. */
  public static final Form CONTENT = new Form(Cut.CONTENT, false);

  /**
   * A tar of database files: large members are cut at the plan's block size, aligned to their own
   * beginning.
   */
  public static final Form BLOCKS = new Form(Cut.BLOCKS, false);

  /** One chunk, or as few as it takes: for what changes as a whole. */
  public static final Form WHOLE = new Form(Cut.WHOLE, false);

  /** The same, remembered. */
  public Form remembered() {
    return new Form(cut, true);
  }

  /** Where chunks end. */
  public enum Cut {
    CONTENT,
    BLOCKS,
    WHOLE
  }
}
