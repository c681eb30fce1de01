/** Ed25519 signatures in OpenSSH's SSHSIG form. */
@NullMarked
package org.stellaops.backup.crypto.internal.sshsig;

import org.jspecify.annotations.NullMarked;
