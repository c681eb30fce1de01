/** Stores around stores: one behaviour each. Imports {@code model} and {@code spi}. */
@NullMarked
package org.stellaops.backup.store;

import org.jspecify.annotations.NullMarked;
