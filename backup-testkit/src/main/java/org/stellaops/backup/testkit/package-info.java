/** Strict fakes, fault and damage injection, and contract suites for implementors of the SPIs. */
@NullMarked
package org.stellaops.backup.testkit;

import org.jspecify.annotations.NullMarked;
