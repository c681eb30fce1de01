/**
 * Files and directories: captured, restored, and used as a store. May import {@code model}, {@code
 * spi} and the internal packages for disk, tar and JSON.
 */
@NullMarked
package org.stellaops.backup.files;

import org.jspecify.annotations.NullMarked;
