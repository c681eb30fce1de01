package org.stellaops.backup.parity;

import java.nio.file.Path;

/**
 * A parity volume that is there.
 *
 * @param file where
 * @param header what it says
 */
record Volume(Path file, VolumeHeader header) {}
