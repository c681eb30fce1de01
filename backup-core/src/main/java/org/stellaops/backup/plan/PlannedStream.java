package org.stellaops.backup.plan;

import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.SourceDescription;

/**
 * A stream as a plan has it.
 *
 * @param name within the plan; names its log, so in lower case
 * @param source what is followed
 * @param description what it said when the plan was built
 */
public record PlannedStream(
    SourceName name, ContinuousSource source, SourceDescription description) {}
