package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Path;

/** A tool that keeps one cluster in one repository of its own. */
interface ClusterPeer {
  /** As it stands in the table. */
  String name();

  /** Where it stores. */
  Path repository();

  /** What has to be so before a backup, and is not measured. */
  default void prepare(Cluster cluster) throws IOException, InterruptedException {
    cluster.archiveWith("true");
  }

  /** Backs the cluster up with the WAL it needs; returns how long that took on our side. */
  Command.Took backUp(Cluster cluster) throws IOException, InterruptedException;

  /** Restores the newest backup into an empty directory; returns how long it took. */
  Command.Took restoreTo(Path directory) throws IOException, InterruptedException;
}
