/**
 * What to keep and what to release, decided by computing over values; deletes nothing, and knows no
 * clock. Imports the model and the SPIs.
 */
@NullMarked
package org.stellaops.backup.retention;

import org.jspecify.annotations.NullMarked;
