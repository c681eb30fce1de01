package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The library, wherever its {@link Tool} runs. */
record Stella(String name, Path repository, Path keys, Runner runner) implements Peer {
  /** Runs orders of {@link Tool}. */
  @FunctionalInterface
  interface Runner {
    Command.Took run(List<String> order) throws IOException, InterruptedException;
  }

  /** In a JVM of its own for each step, as a command would be. */
  static Stella fresh(Path directory) {
    Runner runner = order -> Command.run(Map.of(), Command.java(Tool.class, order));
    return in(directory, "stella, fresh JVM", runner);
  }

  /** In a JVM that has been running for a while, as in a service that backs itself up. */
  static Stella inService(Path directory, Service service) {
    return in(directory, "stella, in a service", service::run);
  }

  private static Stella in(Path directory, String name, Runner runner) {
    return new Stella(name, directory.resolve("repository"), directory.resolve("keys"), runner);
  }

  @Override
  public Command.Took backUp(Path tree) throws IOException, InterruptedException {
    return run("backup", tree);
  }

  @Override
  public Command.Took restoreTo(Path directory) throws IOException, InterruptedException {
    return run("restore", directory);
  }

  @Override
  public Path restored(Path directory, Path tree) {
    return directory;
  }

  private Command.Took run(String step, Path tree) throws IOException, InterruptedException {
    return runner.run(List.of(step, tree.toString(), repository.toString(), keys.toString()));
  }
}
