package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** pg_basebackup into tars that it compresses itself; restored by tar. It does not encrypt. */
record PgBaseBackup(Path repository) implements ClusterPeer {
  @Override
  public String name() {
    return "pg_basebackup";
  }

  @Override
  public Command.Took backUp(Cluster cluster) throws IOException, InterruptedException {
    return Command.run(
        Map.of(),
        List.of(
            Cluster.program("pg_basebackup"),
            "--host=127.0.0.1",
            "--port=" + cluster.port(),
            "--username=postgres",
            "--checkpoint=fast",
            "--format=tar",
            "--compress=client-zstd",
            "--pgdata=" + repository));
  }

  @Override
  public Command.Took restoreTo(Path directory) throws IOException, InterruptedException {
    return Command.run(
        Map.of(),
        List.of(
            "bash",
            "-ec",
            "tar -xf \"$0/base.tar.zst\" -C \"$1\"; tar -xf \"$0\"/pg_wal.tar* -C \"$1/pg_wal\";"
                + " sync -f \"$1\"",
            repository.toString(),
            directory.toString()));
  }
}
