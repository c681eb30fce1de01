package org.stellaops.backup.retention;

import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.SourceName;

/**
 * Captures that can stand for each other. Never of two writers: what one commits must be no reason
 * to release what another did.
 */
record Series(String log, Component component, SourceName source) {
  static Series of(Capture capture) {
    return new Series(capture.log(), capture.header().component(), capture.header().source());
  }
}
