package org.stellaops.backup.internal.run;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.spi.BackupListener;

/** Tells every listener. An exception of one is logged once and changes nothing. */
public final class Listeners {
  private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);
  private final List<BackupListener> listeners;
  private final Set<BackupListener> complainedAbout = ConcurrentHashMap.newKeySet();

  /** These, in this order. */
  public Listeners(List<BackupListener> listeners) {
    this.listeners = List.copyOf(listeners);
  }

  /** Tells all of them. */
  public void tell(Consumer<BackupListener> event) {
    for (BackupListener listener : listeners) {
      try {
        event.accept(listener);
      } catch (RuntimeException e) {
        if (complainedAbout.add(listener)) {
          LOG.warn("listener {} failed; this is said once", listener.getClass().getName(), e);
        }
      }
    }
  }
}
