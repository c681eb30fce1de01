/** Values that every other package speaks in; imports nothing of ours. */
@NullMarked
package org.stellaops.backup.model;

import org.jspecify.annotations.NullMarked;
