package org.stellaops.backup.architecture.broken.mongo;

import com.azure.core.credential.TokenCredential;

/** A technology that asks a cloud. */
public interface KnowsAzure {
  TokenCredential credential();
}
