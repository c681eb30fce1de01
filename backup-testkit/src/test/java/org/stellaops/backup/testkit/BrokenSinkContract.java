package org.stellaops.backup.testkit;

import java.util.function.BiFunction;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;

/** The contract of sinks on a memory sink whose stores are broken. */
final class BrokenSinkContract extends BackupSinkContract {
  private final BiFunction<MemorySink, ObjectStore, ObjectStore> breaking;
  private final MemorySink memory = new MemorySink();

  BrokenSinkContract(BiFunction<MemorySink, ObjectStore, ObjectStore> breaking) {
    this.breaking = breaking;
  }

  @Override
  protected BackupSink newSink() {
    return memory.with(store -> breaking.apply(memory, store));
  }

  @Override
  protected void assertNothingOpen(BackupSink tested) {
    memory.assertNothingOpen();
  }
}
