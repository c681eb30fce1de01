package org.stellaops.backup.architecture.broken.retention;

import org.stellaops.backup.architecture.broken.internal.pipeline.OpensFiles;

/** A policy that knows how bytes move. */
interface KnowsThePipeline {
  OpensFiles bytes();
}
