/** The arrows between modules and packages, and who may touch which library. */
package org.stellaops.backup.architecture;
