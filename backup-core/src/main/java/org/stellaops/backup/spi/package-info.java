/** What others implement: sources, targets, stores, keys. Declares only; imports {@code model}. */
@NullMarked
package org.stellaops.backup.spi;

import org.jspecify.annotations.NullMarked;
