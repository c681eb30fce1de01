/** Ours against theirs: what the tools of others write and read. */
package org.stellaops.backup.interop;
