package org.stellaops.backup.architecture.broken.internal.cloud;

/** Of all clouds. */
public interface Common {}
