/** Encryption in the age v1 format and signatures in the SSHSIG form. */
module org.stellaops.backup.crypto {
  requires transitive org.stellaops.backup.core;
  requires static transitive org.jspecify;
  requires org.bouncycastle.provider;
  requires static org.conscrypt; // ChaCha20-Poly1305 by native code, where it is there

  exports org.stellaops.backup.crypto;
}
