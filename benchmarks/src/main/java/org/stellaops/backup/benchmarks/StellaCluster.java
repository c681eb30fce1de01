package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The library before a cluster, wherever its {@link Tool} runs. */
record StellaCluster(Stella stella) implements ClusterPeer {
  @Override
  public String name() {
    return stella.name();
  }

  @Override
  public Path repository() {
    return stella.repository();
  }

  @Override
  public Command.Took backUp(Cluster cluster) throws IOException, InterruptedException {
    return run("backup-cluster", cluster.jdbcUrl());
  }

  @Override
  public Command.Took restoreTo(Path directory) throws IOException, InterruptedException {
    return run("restore-cluster", directory.toString());
  }

  private Command.Took run(String step, String what) throws IOException, InterruptedException {
    return stella
        .runner()
        .run(List.of(step, what, repository().toString(), stella.keys().toString()));
  }
}
