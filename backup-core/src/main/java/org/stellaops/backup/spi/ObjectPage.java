package org.stellaops.backup.spi;

import java.util.List;

/**
 * A part of a listing.
 *
 * @param objects may be empty although more pages follow
 * @param next {@link PageToken#END} after the last
 */
public record ObjectPage(List<StoredObject> objects, PageToken next) {
  public ObjectPage {
    objects = List.copyOf(objects);
  }
}
