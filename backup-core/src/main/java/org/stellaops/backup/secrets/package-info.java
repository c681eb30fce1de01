/** Secrets from and to dotenv files and providers. Nothing here prints a value. */
@NullMarked
package org.stellaops.backup.secrets;

import org.jspecify.annotations.NullMarked;
