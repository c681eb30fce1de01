/** Incremental, content-addressed backups of an evidence locker. */
@NullMarked
package org.stellaops.backup.evidence;

import org.jspecify.annotations.NullMarked;
