/** Bytes: cutting, compressing, packing and their way back. Knows no names and opens no files. */
@NullMarked
package org.stellaops.backup.internal.pipeline;

import org.jspecify.annotations.NullMarked;
