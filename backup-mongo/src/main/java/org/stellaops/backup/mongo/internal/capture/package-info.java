/** From a database to an archive and its side artifact. */
@NullMarked
package org.stellaops.backup.mongo.internal.capture;

import org.jspecify.annotations.NullMarked;
