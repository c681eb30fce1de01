/**
 * Tar archives and their indexes, as artifacts hold them. Imports {@code model} and {@code spi}.
 */
@NullMarked
package org.stellaops.backup.internal.tar;

import org.jspecify.annotations.NullMarked;
