/** The only place that knows Jackson: JSON to and from values, bounded. */
@NullMarked
package org.stellaops.backup.internal.json;

import org.jspecify.annotations.NullMarked;
