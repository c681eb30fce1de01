/**
 * Buckets of AWS and of whatever speaks its protocol as stores of objects.
 *
 * <p>Imports the SPIs, the model, and the AWS SDK, which nothing else may.
 */
@NullMarked
package org.stellaops.backup.storage.s3;

import org.jspecify.annotations.NullMarked;
