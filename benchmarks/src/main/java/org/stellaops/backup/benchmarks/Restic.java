package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * restic as Debian packages it, format 2, its own defaults; no cache, since each run is the first.
 */
record Restic(Path repository) implements Peer {
  private static final Map<String, String> ENVIRONMENT = Map.of("RESTIC_PASSWORD", "benchmark");

  static Restic init(Path repository) throws IOException, InterruptedException {
    Restic fresh = new Restic(repository);
    fresh.run("init", "--repository-version", "2");
    return fresh;
  }

  private Command.Took run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("restic", "-r", repository.toString(), "--no-cache"));
    command.addAll(List.of(arguments));
    return Command.run(ENVIRONMENT, command);
  }

  @Override
  public String name() {
    return "restic";
  }

  @Override
  public Command.Took backUp(Path tree) throws IOException, InterruptedException {
    return run("backup", "--force", tree.toString());
  }

  @Override
  public Command.Took restoreTo(Path directory) throws IOException, InterruptedException {
    return run("restore", "latest", "--target", directory.toString());
  }
}
