/** Streams of zstd frames, whoever compressed them. Imports {@code model}. */
@NullMarked
package org.stellaops.backup.internal.zstd;

import org.jspecify.annotations.NullMarked;
