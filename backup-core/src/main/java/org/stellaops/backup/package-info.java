/** The two doors: a repository, for whoever has no plan, and an engine, for whoever has one. */
@NullMarked
package org.stellaops.backup;

import org.jspecify.annotations.NullMarked;
