package org.stellaops.backup.model;

import java.net.URI;
import java.util.Map;

/**
 * Where a restored system is, so that checks need no driver type from us.
 *
 * @param uri without credentials
 * @param credentials what is needed to get in
 */
public record Endpoint(URI uri, Map<String, Secret> credentials) {
  public Endpoint {
    credentials = Map.copyOf(credentials);
  }
}
