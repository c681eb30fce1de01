package org.stellaops.backup.engine;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreTraits;

/** A store that says what it is about to do. Closes what it wraps. */
final class HookedStore implements ObjectStore {
  /** Hears each operation before it begins: {@code put log/host-a/0000000001.entry}. */
  @FunctionalInterface
  interface Hook {
    void before(String operation) throws IOException;
  }

  private final ObjectStore inner;
  private final Hook hook;

  private HookedStore(ObjectStore inner, Hook hook) {
    this.inner = inner;
    this.hook = hook;
  }

  /** The sink with this hook in every store it opens. */
  static BackupSink on(BackupSink sink, Hook hook) {
    return sink.with(store -> new HookedStore(store, hook));
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    hook.before("put " + name);
    inner.put(name, body);
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    hook.before("delete " + name);
    inner.delete(name);
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    hook.before("open " + name);
    return inner.open(name, range);
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) throws IOException {
    hook.before("list " + prefix);
    return inner.list(prefix, from);
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
