package org.stellaops.backup.storage.azure;

import org.stellaops.backup.spi.StoreAbility;

/** How a store of this kind is known to another one that copies from it, whatever is around it. */
record AzureOrigin(AzureConnection connection) implements StoreAbility {}
