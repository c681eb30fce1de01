package org.stellaops.backup.internal.repository;

import java.io.IOException;

/** Takes the packs of an index, one after the other. */
@FunctionalInterface
public interface PackTaker {
  /** Takes one, which has this number there. */
  void take(ObjectRef pack, int ordinal) throws IOException;
}
