/** Encryption in the age v1 format and signatures in the SSHSIG form. */
@NullMarked
package org.stellaops.backup.crypto;

import org.jspecify.annotations.NullMarked;
