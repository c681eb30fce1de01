package org.stellaops.backup.spi;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where a target is.
 *
 * @param location a path or an address without credentials
 * @param options what else decides what a restore does
 */
public record TargetDescription(String location, Map<String, String> options) {
  public TargetDescription {
    options = Collections.unmodifiableMap(new TreeMap<>(options));
  }
}
