/** Holds what the documentation says to what the build has shown. */
package org.stellaops.backup.docs;
