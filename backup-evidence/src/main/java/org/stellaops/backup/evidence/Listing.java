package org.stellaops.backup.evidence;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoredObject;

/**
 * All objects of a store in the order of the bytes of their names. Directories and S3 list in this
 * order, and are listed twice instead of being held; any other store's list is held and sorted.
 */
final class Listing {
  private static final Comparator<StoredObject> BY_NAME =
      Comparator.comparing(o -> o.name().value(), TarMember.BY_BYTES);

  private final ReadableStore store;
  private final Stopping stopping;
  private long objects;
  private long bytes;
  private boolean isOrdered = true;
  private String previous = "";

  private Listing(ReadableStore store, Stopping stopping) {
    this.store = store;
    this.stopping = stopping;
  }

  /** Hears of objects. */
  @FunctionalInterface
  interface Visitor {
    void visit(StoredObject object) throws IOException;
  }

  static Listing of(ReadableStore store, Stopping stopping) throws IOException {
    var listing = new Listing(store, stopping);
    listing.each(listing::count);
    return listing;
  }

  private void count(StoredObject object) {
    objects++;
    bytes += object.lengthBytes();
    isOrdered &= TarMember.BY_BYTES.compare(previous, object.name().value()) < 0;
    previous = object.name().value();
  }

  private void each(Visitor visitor) throws IOException {
    for (PageToken at = PageToken.START; !at.equals(PageToken.END); ) {
      stopping.check();
      var page = store.list("", at);
      for (StoredObject object : page.objects()) {
        visitor.visit(object);
      }
      at = page.next();
    }
  }

  /** Every object, as it is listed now. */
  void inOrder(Visitor visitor) throws IOException {
    if (isOrdered) {
      previous = "";
      each(object -> visitor.visit(requireOrder(object)));
      return;
    }
    List<StoredObject> held = new ArrayList<>();
    each(held::add);
    held.sort(BY_NAME);
    for (StoredObject object : held) {
      visitor.visit(object);
    }
  }

  private StoredObject requireOrder(StoredObject object) throws BackupException.Source {
    if (TarMember.BY_BYTES.compare(previous, object.name().value()) >= 0) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_FAILED,
          "the store listed '%s' behind '%s', and in order before"
              .formatted(object.name(), previous));
    }
    previous = object.name().value();
    return object;
  }

  long objects() {
    return objects;
  }

  long bytes() {
    return bytes;
  }
}
