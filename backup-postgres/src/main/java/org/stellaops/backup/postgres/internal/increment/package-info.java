/** Files of which a server sent the changed blocks only; may import {@code internal.tar}. */
@NullMarked
package org.stellaops.backup.postgres.internal.increment;

import org.jspecify.annotations.NullMarked;
