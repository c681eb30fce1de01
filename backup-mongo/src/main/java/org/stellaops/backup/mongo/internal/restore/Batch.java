package org.stellaops.backup.mongo.internal.restore;

import java.util.List;
import org.bson.RawBsonDocument;

/**
 * Documents of one collection that are sent together.
 *
 * @param of the collection
 * @param first place of the first of them among the collection's in the archive
 * @param bytes of all
 * @param doubt whether some of them may be there already
 */
record Batch(
    LoadedCollection of, long first, List<RawBsonDocument> documents, int bytes, Doubt doubt) {
  /** Whether documents may be there already. */
  enum Doubt {
    /** None is; one that is there is an error. */
    NONE,
    /** Some may be: those that the server calls duplicates are compared. */
    SOME,
    /** Most are: they are looked for before anything is sent. */
    MOST
  }
}
