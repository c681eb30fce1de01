/** From an archive to a database, compared afterwards. */
@NullMarked
package org.stellaops.backup.mongo.internal.restore;

import org.jspecify.annotations.NullMarked;
