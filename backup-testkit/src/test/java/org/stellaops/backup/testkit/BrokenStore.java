package org.stellaops.backup.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreTraits;

/** Passes everything on; a test breaks one method of it. */
class BrokenStore implements ObjectStore {
  final ObjectStore inner;

  BrokenStore(ObjectStore inner) {
    this.inner = inner;
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    inner.put(name, body);
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    return inner.open(name, range);
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) throws IOException {
    return inner.list(prefix, from);
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    inner.delete(name);
  }

  @Override
  public StoreTraits traits() {
    return inner.traits();
  }

  @Override
  public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
    return inner.ability(type);
  }

  @Override
  public void close() throws IOException {
    inner.close();
  }
}
