package org.stellaops.backup.architecture.broken.testkit;

/** Something for tests. */
public interface Fake {}
