/** An audit trail beside what it is about: sorted streams that are merged, and nothing is kept. */
@NullMarked
package org.stellaops.backup.mongo.internal.audit;

import org.jspecify.annotations.NullMarked;
