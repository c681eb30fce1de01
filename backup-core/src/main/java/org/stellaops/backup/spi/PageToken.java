package org.stellaops.backup.spi;

/** Where a listing goes on. Opaque to everybody but the store that made it. */
public record PageToken(String value) {
  /** The beginning. */
  public static final PageToken START = new PageToken("");

  /** There is no further page. */
  public static final PageToken END = new PageToken("\0");
}
