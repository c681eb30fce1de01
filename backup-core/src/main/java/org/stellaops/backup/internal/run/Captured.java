package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.BitSet;
import java.util.Map;
import org.stellaops.backup.internal.pipeline.Cuts;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SourceName;

/** What was captured of one source: by this run, or by the one that it takes up. */
interface Captured {
  /** Which source. */
  SourceName source();

  /** How its capture ended. */
  Outcome outcome();

  /** What it says; its place in the log is known only when it is committed. */
  CapturedSource result();

  /** Where the bytes of each artifact are. */
  Map<ArtifactName, Runs> runs();

  /** Where artifacts were cut by their content. */
  Map<ArtifactName, Cuts> cuts();

  /** Where those artifacts are that a later capture may take over. */
  Map<ArtifactName, Runs> reusable();

  /** Sealed copies of what is to be remembered, stored. */
  Map<ArtifactName, ObjectRef> remembered() throws IOException;

  /** Ordinals of the packs that hold its bytes. */
  default BitSet packs() {
    BitSet packs = new BitSet();
    for (Runs runs : runs().values()) {
      for (int i = 0; i < runs.size(); i++) {
        packs.set(runs.get(i).pack());
      }
    }
    return packs;
  }
}
