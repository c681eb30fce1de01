/** The age v1 format byte by byte: header, wrapped keys, payload, armor. May import core's SPI. */
@NullMarked
package org.stellaops.backup.crypto.internal.age;

import org.jspecify.annotations.NullMarked;
