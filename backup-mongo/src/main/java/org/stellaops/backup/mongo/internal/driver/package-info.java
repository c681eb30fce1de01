/** The only place that talks to a server, and that translates what its driver throws. */
@NullMarked
package org.stellaops.backup.mongo.internal.driver;

import org.jspecify.annotations.NullMarked;
