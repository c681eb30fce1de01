package org.stellaops.backup.architecture.broken.internal.run;

import org.stellaops.backup.architecture.broken.internal.pipeline.OpensFiles;

/** Closes the circle. */
public interface KnowsThePipeline {
  OpensFiles pipeline();
}
