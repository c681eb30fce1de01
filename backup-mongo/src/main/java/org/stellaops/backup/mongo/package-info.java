/** MongoDB databases as mongodump archives, and their restore. */
@NullMarked
package org.stellaops.backup.mongo;

import org.jspecify.annotations.NullMarked;
