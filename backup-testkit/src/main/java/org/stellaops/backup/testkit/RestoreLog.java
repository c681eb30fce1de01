package org.stellaops.backup.testkit;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.Endpoint;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Progress;

/** What a {@link RestoreHarness} keeps from one step of a restore to the next. */
final class RestoreLog {
  final Map<ArtifactName, ArtifactDamage> damage = new HashMap<>();
  final List<Finding> findings = new CopyOnWriteArrayList<>();
  final Set<ArtifactName> opened = new LinkedHashSet<>();
  final Set<ArtifactName> verified = new LinkedHashSet<>();
  @Nullable Endpoint endpoint;
  @Nullable Progress progress;
}
