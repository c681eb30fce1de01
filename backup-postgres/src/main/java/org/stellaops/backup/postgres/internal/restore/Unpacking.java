package org.stellaops.backup.postgres.internal.restore;

import java.util.concurrent.Executor;

/**
 * What all archives of a restore are unpacked with, one after another.
 *
 * @param executor hashes, and waits for the disk
 * @param digest of the file that is being read
 */
record Unpacking(Executor executor, BesideDigest digest) {
  Unpacking(Executor executor) {
    this(executor, new BesideDigest(executor));
  }
}
