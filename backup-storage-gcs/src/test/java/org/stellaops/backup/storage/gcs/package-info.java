/** Tests of the store in Google Cloud Storage, without and with a server. */
@NullMarked
package org.stellaops.backup.storage.gcs;

import org.jspecify.annotations.NullMarked;
