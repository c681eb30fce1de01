package org.stellaops.backup.spi;

import java.io.IOException;
import org.stellaops.backup.model.ObjectName;

/**
 * A flat place of immutable objects.
 *
 * <ul>
 *   <li>An object is there whole or not at all, also after a crash of this process or the machine.
 *   <li>When {@link #put} has returned, the object is durable and every reader sees it.
 *   <li>Where {@link StoreTraits#isCreateExclusive} holds, of several concurrent puts of one name
 *       exactly one wins.
 *   <li>Closing the store is not committing anything; nothing is lost by it.
 * </ul>
 */
public interface ObjectStore extends ReadableStore {
  /**
   * Stores the whole body under the name, or nothing. The body may be opened several times.
   *
   * @throws org.stellaops.backup.model.BackupException.Sink ALREADY_EXISTS if there is such an
   *     object, whatever its bytes
   */
  void put(ObjectName name, ObjectBody body) throws IOException;

  /**
   * Removes an object. Absent: nothing happens.
   *
   * @throws org.stellaops.backup.model.BackupException.Sink LOCKED if the store protects it
   */
  void delete(ObjectName name) throws IOException;
}
