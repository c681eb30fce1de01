package org.stellaops.backup.architecture.broken.mongo;

import com.google.auth.Credentials;

/** A technology that asks another cloud. */
public interface KnowsGoogle {
  Credentials credentials();
}
