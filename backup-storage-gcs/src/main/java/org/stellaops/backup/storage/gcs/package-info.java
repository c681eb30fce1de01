/**
 * Google Cloud Storage as a store of objects: {@link
 * org.stellaops.backup.storage.gcs.GcsSink#bucket}. Knows Google's SDK, and nobody else does.
 */
@NullMarked
package org.stellaops.backup.storage.gcs;

import org.jspecify.annotations.NullMarked;
