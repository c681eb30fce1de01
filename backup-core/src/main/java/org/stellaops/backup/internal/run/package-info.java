/**
 * Order of steps: one class per use case. Puts bytes and names together, and the only place where
 * both meet.
 */
@NullMarked
package org.stellaops.backup.internal.run;

import org.jspecify.annotations.NullMarked;
