package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.InstantSource;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreAbility;

/** What a store says of who else can get at it, and how it is protected. */
public final class ExposureVerdicts {
  private static final String NAME = "sink: check\\.[a-z]+(-[a-z]+)*";

  private ExposureVerdicts() {}

  /**
   * Asks it.
   *
   * @param store has the ability {@link StoreAbility.Exposure}; stays the caller's
   * @return by name, each named once and as checks of sinks are: {@code sink: check.public-access}
   */
  public static SortedMap<String, CheckResult.Verdict> of(ObjectStore store) throws IOException {
    var checks = new CollectedChecks(Stopping.never(), InstantSource.system());
    store.ability(StoreAbility.Exposure.class).orElseThrow().check(checks);
    SortedMap<String, CheckResult.Verdict> verdicts = new TreeMap<>();
    for (CheckResult result : checks.results()) {
      assertTrue(result.id().matches(NAME), result::toString);
      assertNull(verdicts.put(result.id(), result.verdict()), () -> "twice: " + result);
    }
    return Collections.unmodifiableSortedMap(verdicts);
  }
}
