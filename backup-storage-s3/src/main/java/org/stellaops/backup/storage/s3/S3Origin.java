package org.stellaops.backup.storage.s3;

import org.stellaops.backup.spi.StoreAbility;

/** How a store of this kind is known to another one that copies from it, whatever is around it. */
record S3Origin(S3Calls calls) implements StoreAbility {}
