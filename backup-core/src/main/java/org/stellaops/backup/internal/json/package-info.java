/** JSON in and out: the only place that knows Jackson. */
@NullMarked
package org.stellaops.backup.internal.json;

import org.jspecify.annotations.NullMarked;
