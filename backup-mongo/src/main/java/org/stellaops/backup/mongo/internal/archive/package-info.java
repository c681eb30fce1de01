/** The mongodump archive, format 0.1, as bytes: no server, no driver connection, no session. */
@NullMarked
package org.stellaops.backup.mongo.internal.archive;

import org.jspecify.annotations.NullMarked;
