package org.stellaops.backup.architecture.broken.spi;

import org.stellaops.backup.architecture.broken.internal.pipeline.OpensFiles;

/** An SPI that knows who calls it. */
public interface KnowsThePipeline {
  OpensFiles caller();
}
