/** Plans and requests: values, checked when they are built, that may hold what an SPI defines. */
@NullMarked
package org.stellaops.backup.plan;

import org.jspecify.annotations.NullMarked;
