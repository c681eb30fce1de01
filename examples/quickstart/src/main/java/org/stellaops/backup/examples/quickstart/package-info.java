/**
 * The main job on one page: a system is backed up, verified, destroyed, restored elsewhere and
 * compared. Start reading at {@link org.stellaops.backup.examples.quickstart.Quickstart}.
 */
package org.stellaops.backup.examples.quickstart;
