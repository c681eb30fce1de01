package org.stellaops.backup.spi;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;

/** An open place of objects. All methods may be called from several threads at once. */
public interface ReadableStore extends Closeable {
  /**
   * The bytes of an object within the range; a range past the end gives fewer or none. The caller
   * closes.
   *
   * @throws org.stellaops.backup.model.BackupException.Sink NOT_FOUND if there is no such object
   */
  InputStream open(ObjectName name, ByteRange range) throws IOException;

  /**
   * One page of the objects whose names start with {@code prefix}, which need not end at a {@code
   * /}. No order is promised. A page can be asked for again.
   */
  ObjectPage list(String prefix, PageToken from) throws IOException;

  /** What can be relied on here. No I/O. */
  StoreTraits traits();

  /** Something that not every store can do; wrappers decide what they pass on. */
  default <A extends StoreAbility> Optional<A> ability(Class<A> type) {
    return Optional.empty();
  }
}
