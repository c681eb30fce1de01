package org.stellaops.backup.spi;

import java.util.Map;

/**
 * What can be relied on in a store.
 *
 * @param isCreateExclusive of several concurrent puts of one name exactly one wins; needed to
 *     commit
 * @param isListingConsistent a listing shows every put that returned before
 * @param maxObjectBytes largest object
 * @param labels where it is: region, site
 */
public record StoreTraits(
    boolean isCreateExclusive,
    boolean isListingConsistent,
    long maxObjectBytes,
    Map<String, String> labels) {
  public StoreTraits {
    labels = Map.copyOf(labels);
  }
}
