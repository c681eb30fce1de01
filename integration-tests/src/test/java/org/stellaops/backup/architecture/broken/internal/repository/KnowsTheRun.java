package org.stellaops.backup.architecture.broken.internal.repository;

import org.stellaops.backup.architecture.broken.internal.run.KnowsThePipeline;

/** Names that know what comes next. */
public interface KnowsTheRun {
  KnowsThePipeline next();
}
