package org.stellaops.backup.store;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreTraits;

/**
 * Base of stores that wrap a store: hands everything on, also {@link #close}. Abilities are handed
 * on only where the wrapper says so, since an ability goes past whatever the wrapper does.
 */
public abstract class ForwardingStore implements ObjectStore {
  private final ObjectStore inner;
  private final Set<Class<? extends StoreAbility>> abilities;

  /** Hands on no ability. */
  protected ForwardingStore(ObjectStore inner) {
    this(inner, Set.of());
  }

  /**
   * Hands on these abilities, as far as {@code inner} has them.
   *
   * @param inner closed with this store
   */
  protected ForwardingStore(ObjectStore inner, Set<Class<? extends StoreAbility>> abilities) {
    this.inner = inner;
    this.abilities = Set.copyOf(abilities);
  }

  /** The store that is wrapped. */
  protected final ObjectStore inner() {
    return inner;
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    inner.put(name, body);
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    inner.delete(name);
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
  public StoreTraits traits() {
    return inner.traits();
  }

  @Override
  public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
    return abilities.contains(type) ? inner.ability(type) : Optional.empty();
  }

  @Override
  public void close() throws IOException {
    inner.close();
  }
}
