/** Tests of the store in Azure Blob Storage, without and with a server. */
@NullMarked
package org.stellaops.backup.storage.azure;

import org.jspecify.annotations.NullMarked;
