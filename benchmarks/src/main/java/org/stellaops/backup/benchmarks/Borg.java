package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** borg as Debian packages it, with zstd at the level that the library uses. */
final class Borg implements Peer {
  private static final Map<String, String> ENVIRONMENT = Map.of("BORG_PASSPHRASE", "benchmark");

  private final Path repository;
  private int archive;

  private Borg(Path repository) {
    this.repository = repository;
  }

  static Borg init(Path repository) throws IOException, InterruptedException {
    Command.run(
        ENVIRONMENT, List.of("borg", "init", "-e", "repokey-blake2", repository.toString()));
    return new Borg(repository);
  }

  @Override
  public String name() {
    return "borg";
  }

  @Override
  public Path repository() {
    return repository;
  }

  private String newest() {
    return repository + "::run-" + archive;
  }

  @Override
  public Command.Took backUp(Path tree) throws IOException, InterruptedException {
    archive++;
    return Command.run(
        ENVIRONMENT,
        List.of(
            "borg",
            "create",
            "-C",
            "zstd,3",
            "--files-cache",
            "disabled",
            newest(),
            tree.toString()));
  }

  @Override
  public Command.Took restoreTo(Path directory) throws IOException, InterruptedException {
    return Command.run(
        ENVIRONMENT,
        List.of(
            "bash", "-c", "cd \"$0\" && exec borg extract \"$1\"", directory.toString(), newest()));
  }
}
