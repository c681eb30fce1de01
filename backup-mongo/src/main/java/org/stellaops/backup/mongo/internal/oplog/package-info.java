/**
 * The oplog of a replica set: its entries, what of them is wanted, following it, replaying it. Only
 * {@code OplogReader} and {@code ReplayClient} talk to a server here.
 */
@NullMarked
package org.stellaops.backup.mongo.internal.oplog;

import org.jspecify.annotations.NullMarked;
