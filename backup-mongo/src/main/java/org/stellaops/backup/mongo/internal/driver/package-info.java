/**
 * Talks to a server, as {@code OplogReader} and {@code ReplayClient} of the oplog do; translates
 * what its driver throws.
 */
@NullMarked
package org.stellaops.backup.mongo.internal.driver;

import org.jspecify.annotations.NullMarked;
