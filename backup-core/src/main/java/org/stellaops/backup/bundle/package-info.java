/**
 * Repositories in one file, for media that are carried: written whole, read anywhere. Imports
 * {@code model}, {@code spi}, {@code internal.tar} and {@code internal.disk}.
 */
@NullMarked
package org.stellaops.backup.bundle;

import org.jspecify.annotations.NullMarked;
