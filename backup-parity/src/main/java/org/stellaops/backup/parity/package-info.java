/**
 * Reed-Solomon parity beside a repository on removable media; knows stored bytes and their names,
 * and no key.
 */
@NullMarked
package org.stellaops.backup.parity;

import org.jspecify.annotations.NullMarked;
