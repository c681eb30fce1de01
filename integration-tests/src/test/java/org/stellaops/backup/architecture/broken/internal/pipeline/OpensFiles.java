package org.stellaops.backup.architecture.broken.internal.pipeline;

import java.nio.file.Path;
import org.stellaops.backup.architecture.broken.internal.repository.KnowsTheRun;

/** Bytes that know their name. */
public interface OpensFiles {
  Path name();

  KnowsTheRun repository();
}
