package org.stellaops.backup.mongo.internal.capture;

import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.ServerFacts;
import org.stellaops.backup.spi.CaptureSession;

/**
 * What every pass of one capture has in common.
 *
 * @param database that is captured
 * @param server where it is
 * @param featureVersion the server's feature compatibility version; empty where it was not told
 * @param policy how it is to be captured
 * @param session where to
 * @param progress of all passes
 */
record Capturing(
    RawDatabase database,
    ServerFacts server,
    String featureVersion,
    CapturePolicy policy,
    CaptureSession session,
    Progress progress) {}
