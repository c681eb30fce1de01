package org.stellaops.backup.mongo.internal.archive;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.stellaops.backup.model.Digest;

/**
 * What an archive was found to hold, read to its end.
 *
 * @param prelude what it announced
 * @param preludeBytes length of magic and prelude
 * @param preludeDigest of magic and prelude, which no checksum of the format covers
 * @param tallies of every namespace of the prelude, in its order
 * @param bytes length of the whole, without compression
 */
public record ArchiveContents(
    Prelude prelude,
    long preludeBytes,
    Digest preludeDigest,
    Map<Namespace, Tally> tallies,
    long bytes) {
  public ArchiveContents {
    tallies = Collections.unmodifiableMap(new LinkedHashMap<>(tallies));
  }
}
