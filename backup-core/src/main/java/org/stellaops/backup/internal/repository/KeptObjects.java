package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;

/**
 * What a store keeps of objects that somebody deleted or replaced. Nothing of it is believed: a
 * version counts by the digest that was signed. To whoever may not look at versions none are kept.
 */
public final class KeptObjects {
  private final ReadableStore store;
  private final StoreAbility.History history;

  /** Both stay the caller's. */
  KeptObjects(ReadableStore store, StoreAbility.History history) {
    this.store = store;
    this.history = history;
  }

  /** Every version of one object, the newest first. */
  public List<KeptVersion> of(ObjectName name) throws IOException {
    List<KeptVersion> versions = new ArrayList<>();
    each(name.value(), version -> addIf(version.name().equals(name), version, versions));
    return versions;
  }

  private static void addIf(boolean isWanted, KeptVersion version, List<KeptVersion> versions) {
    if (isWanted) {
      versions.add(version);
    }
  }

  /**
   * The entries that were deleted from behind the end that a log seems to have: nothing names the
   * newest, so nothing misses it. A stream of which nothing is left is passed over: its entries may
   * go, those of other logs never do.
   *
   * @param heads the newest slot of each log that anything is left of
   */
  public List<KeptVersion> deletedBehind(Map<String, Long> heads) throws IOException {
    Map<ObjectName, KeptVersion> deleted = new TreeMap<>();
    each(
        "log/",
        version -> {
          String name = version.name().value();
          OptionalLong slot = Names.slot(name);
          if (slot.isPresent() && !version.isReplaced()) {
            String log = name.split("/", -1)[1];
            long ended = Names.isStream(log) ? Long.MAX_VALUE : 0;
            if (slot.getAsLong() > heads.getOrDefault(log, ended)) {
              deleted.putIfAbsent(version.name(), version);
            }
          }
        });
    return List.copyOf(deleted.values());
  }

  private void each(String prefix, StoreAbility.History.Each each) throws IOException {
    try {
      history.kept(prefix, each);
    } catch (BackupException.Sink e) {
      if (e.reason() != Reason.DENIED) {
        throw e;
      }
    }
  }

  /** The version of an object that has these bytes; each is read until one has. */
  public Optional<KeptVersion> sound(ObjectName name, Digest expected, Stopping stopping)
      throws IOException {
    for (KeptVersion version : of(name)) {
      if (isSound(version, expected, stopping)) {
        return Optional.of(version);
      }
    }
    return Optional.empty();
  }

  private boolean isSound(KeptVersion version, Digest expected, Stopping stopping)
      throws IOException {
    try {
      new StoreAccess(new Earlier(List.of(version)))
          .verify(version.name(), expected, version.lengthBytes(), stopping);
      return true;
    } catch (BackupException.Corrupt e) {
      return false;
    }
  }

  /** Gives an object these bytes again; to be called for a version that was found sound. */
  public void bringBack(KeptVersion version) throws IOException {
    history.bringBack(version);
  }

  /**
   * The store as it would be if of each object whose name begins with {@code prefix} the version
   * that was stored first counted: whatever came later somebody put there who should not have.
   */
  public StoreAccess before(String prefix) throws IOException {
    Map<ObjectName, KeptVersion> first = new LinkedHashMap<>();
    each(prefix, version -> first.put(version.name(), version));
    return new StoreAccess(new Earlier(List.copyOf(first.values())));
  }

  /** The same store with other versions of some objects. */
  private final class Earlier implements ReadableStore {
    private final Map<ObjectName, KeptVersion> versions = new TreeMap<>();

    Earlier(List<KeptVersion> versions) {
      versions.forEach(v -> this.versions.put(v.name(), v));
    }

    @Override
    public InputStream open(ObjectName name, ByteRange range) throws IOException {
      KeptVersion version = versions.get(name);
      return version == null ? store.open(name, range) : history.open(version, range);
    }

    @Override
    public ObjectPage list(String prefix, PageToken from) throws IOException {
      ObjectPage page = store.list(prefix, from);
      List<StoredObject> rows = new ArrayList<>();
      for (StoredObject row : page.objects()) {
        if (!versions.containsKey(row.name())) {
          rows.add(row);
        }
      }
      if (page.next().equals(PageToken.END)) {
        for (KeptVersion version : versions.values()) {
          if (version.name().value().startsWith(prefix)) {
            rows.add(new StoredObject(version.name(), version.lengthBytes(), version.id()));
          }
        }
      }
      return new ObjectPage(rows, page.next());
    }

    @Override
    public StoreTraits traits() {
      return store.traits();
    }

    /** The store is somebody else's. */
    @Override
    public void close() {}
  }

  /** What is to be said of a version that somebody has hidden. */
  public static Finding hidden(KeptVersion version, int kept) {
    String when = version.hiddenAt().map(at -> " at " + at).orElse("");
    return new Finding(
        CoreFailure.OBJECT_HIDDEN,
        version.name().value(),
        "%s was %s%s; kept %s, the newest of %d bytes, stored at %s"
            .formatted(
                version.name(),
                version.isReplaced() ? "replaced" : "deleted",
                when,
                kept == 1 ? "is one version" : "are %d versions".formatted(kept),
                version.lengthBytes(),
                version.storedAt()));
  }
}
