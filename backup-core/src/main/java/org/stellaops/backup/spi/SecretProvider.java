package org.stellaops.backup.spi;

import java.io.IOException;
import java.util.Map;
import org.stellaops.backup.model.Secret;

/** Where secrets come from. A value. */
public interface SecretProvider {
  /** Every secret by name. The caller closes the secrets. */
  Map<String, Secret> secrets() throws IOException;
}
