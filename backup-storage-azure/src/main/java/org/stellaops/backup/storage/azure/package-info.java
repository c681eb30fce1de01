/**
 * Azure Blob Storage as a store of objects: {@link
 * org.stellaops.backup.storage.azure.AzureSink#container}. Knows Azure's SDK, and nobody else does.
 */
@NullMarked
package org.stellaops.backup.storage.azure;

import org.jspecify.annotations.NullMarked;
