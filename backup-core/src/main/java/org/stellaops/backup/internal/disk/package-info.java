/**
 * Files that nobody else may read, and that are on disk when we say so. Imports nothing of ours.
 */
@NullMarked
package org.stellaops.backup.internal.disk;

import org.jspecify.annotations.NullMarked;
