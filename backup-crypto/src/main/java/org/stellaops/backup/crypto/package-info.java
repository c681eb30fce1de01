/**
 * Encryption in the age v1 format (age-encryption.org/v1), signatures in the SSHSIG form, and the
 * files that keys are kept in. The only package that exports ciphers; imports core's model and SPI.
 */
@NullMarked
package org.stellaops.backup.crypto;

import org.jspecify.annotations.NullMarked;
