package org.stellaops.backup.plan;

import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.SourceDescription;

/**
 * A source as a plan has it.
 *
 * @param name within the plan
 * @param source what captures
 * @param description what it said when the plan was built
 * @param component which part of the system it is
 * @param mayFail whether a snapshot may exist without it
 */
public record PlannedSource(
    SourceName name,
    BackupSource source,
    SourceDescription description,
    Component component,
    boolean mayFail) {}
