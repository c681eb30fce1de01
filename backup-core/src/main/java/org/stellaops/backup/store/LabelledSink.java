package org.stellaops.backup.store;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoreTraits;

/** A sink of which somebody says where it is: region, site, provider. */
public final class LabelledSink implements BackupSink {
  private final BackupSink sink;
  private final Map<String, String> labels;

  private LabelledSink(BackupSink sink, Map<String, String> labels) {
    this.sink = sink;
    this.labels = Map.copyOf(labels);
  }

  /** This sink with one more label, which takes the place of what the store itself says. */
  public static LabelledSink of(BackupSink sink, String label, String value) {
    return new LabelledSink(sink, Map.of(label, value));
  }

  /** The same with another label. */
  public LabelledSink and(String label, String value) {
    Map<String, String> more = new TreeMap<>(labels);
    more.put(label, value);
    return new LabelledSink(sink, more);
  }

  @Override
  public String describe() {
    return sink.describe();
  }

  @Override
  public ObjectStore open(StoreContext context) throws IOException {
    return new Labelled(sink.open(context), labels);
  }

  private static final class Labelled extends ForwardingStore {
    private final Map<String, String> labels;

    Labelled(ObjectStore inner, Map<String, String> labels) {
      super(inner);
      this.labels = labels;
    }

    /** All of them: nothing is done here that an ability would go past. */
    @Override
    public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
      return inner().ability(type);
    }

    @Override
    public StoreTraits traits() {
      StoreTraits traits = super.traits();
      Map<String, String> all = new TreeMap<>(traits.labels());
      all.putAll(labels);
      return new StoreTraits(
          traits.isCreateExclusive(), traits.isListingConsistent(), traits.maxObjectBytes(), all);
    }
  }
}
