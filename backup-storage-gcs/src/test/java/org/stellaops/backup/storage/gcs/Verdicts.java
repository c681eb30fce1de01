package org.stellaops.backup.storage.gcs;

import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreAbility;

/** What a store found when it was asked who can get at it. */
final class Verdicts implements Checks {
  private final Map<String, CheckResult.Verdict> verdicts = new TreeMap<>();

  private Verdicts() {}

  static Map<String, CheckResult.Verdict> of(ObjectStore store) throws IOException {
    var found = new Verdicts();
    store.ability(StoreAbility.Exposure.class).orElseThrow().check(found);
    return found.verdicts;
  }

  @Override
  public void add(CheckResult result) {
    verdicts.put(result.id(), result.verdict());
  }

  @Override
  public void expect(long bytes) {
    throw new AssertionError("a store expects nothing");
  }

  @Override
  public Stopping stopping() {
    return Stopping.never();
  }

  @Override
  public InstantSource clock() {
    return InstantSource.system();
  }
}
