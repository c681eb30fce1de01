/**
 * What stores in clouds have in common: which requests are made again, how many at once, whose an
 * object is when a reply is lost, what a failure is called. Knows no cloud; imports the SPIs, the
 * model and the policy of retries.
 */
@NullMarked
package org.stellaops.backup.internal.cloud;

import org.jspecify.annotations.NullMarked;
