/** Small files that only their owner may read, published whole. */
@NullMarked
package org.stellaops.backup.crypto.internal.files;

import org.jspecify.annotations.NullMarked;
