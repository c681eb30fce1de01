package org.stellaops.backup.storage.gcs;

import org.stellaops.backup.spi.StoreAbility;

/** How a store of this kind is known to another one that copies from it, whatever is around it. */
record GcsOrigin(GcsConnection connection, GcsRequests requests) implements StoreAbility {}
