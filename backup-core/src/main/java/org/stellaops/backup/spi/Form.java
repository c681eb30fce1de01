package org.stellaops.backup.spi;

/**
 * How an artifact is cut into chunks, and what the writer keeps of it for its next run.
 *
 * @param cut where chunks end
 * @param isRemembered also sealed to the writer's own state identity, so that its next run can read
 *     it without an owner's identity
 * @param isReusable the writer keeps the places of its chunks, so that its next run can take it
 *     over as it is: {@link CaptureSession#reuse}
 */
public record Form(Cut cut, boolean isRemembered, boolean isReusable) {
  /** Cut by content: what is inserted or removed renews its neighbourhood only. */
  public static final Form CONTENT = new Form(Cut.CONTENT, false, false);

  /**
   * A tar of database files: large members are cut at the plan's block size, aligned to their own
   * beginning.
   */
  public static final Form BLOCKS = new Form(Cut.BLOCKS, false, false);

  /** One chunk, or as few as it takes: for what changes as a whole. */
  public static final Form WHOLE = new Form(Cut.WHOLE, false, false);

  /** The same, remembered. */
  public Form remembered() {
    return new Form(cut, true, isReusable);
  }

  /** The same, to be taken over by a later capture where nothing of it changed. */
  public Form reusable() {
    return new Form(cut, isRemembered, true);
  }

  /** Where chunks end. */
  public enum Cut {
    CONTENT,
    BLOCKS,
    WHOLE
  }
}
