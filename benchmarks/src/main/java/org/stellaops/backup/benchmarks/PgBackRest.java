package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** pgBackRest as Debian packages it: zstd, encrypted, two processes; it archives the WAL itself. */
record PgBackRest(Path home) implements ClusterPeer {
  private static final String CONFIGURATION =
      """
      [global]
      repo1-path=%1$s/repository
      repo1-cipher-type=aes-256-cbc
      repo1-cipher-pass=benchmark
      repo1-retention-full=9
      compress-type=zst
      process-max=2
      start-fast=y
      lock-path=%1$s/lock
      log-level-file=off
      log-level-console=warn
      [benchmark]
      pg1-path=%2$s
      pg1-socket-path=%3$s
      pg1-port=%4$d
      pg1-user=postgres
      """;

  static PgBackRest init(Path home, Cluster cluster) throws IOException, InterruptedException {
    Files.createDirectories(home);
    PgBackRest fresh = new PgBackRest(home);
    Files.writeString(
        fresh.configuration(),
        CONFIGURATION.formatted(home, cluster.data(), cluster.socket(), cluster.port()));
    fresh.run("stanza-create");
    return fresh;
  }

  private Path configuration() {
    return home.resolve("pgbackrest.conf");
  }

  private List<String> command(String... arguments) {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("pgbackrest", "--config=" + configuration(), "--stanza=benchmark"));
    command.addAll(List.of(arguments));
    return command;
  }

  private Command.Took run(String... arguments) throws IOException, InterruptedException {
    return Command.run(Map.of(), command(arguments));
  }

  @Override
  public String name() {
    return "pgBackRest";
  }

  @Override
  public Path repository() {
    return home.resolve("repository");
  }

  @Override
  public void prepare(Cluster cluster) throws IOException, InterruptedException {
    cluster.archiveWith(String.join(" ", command("archive-push", "%p")));
  }

  @Override
  public Command.Took backUp(Cluster cluster) throws IOException, InterruptedException {
    return run("backup", "--type=full");
  }

  @Override
  public Command.Took restoreTo(Path directory) throws IOException, InterruptedException {
    return run("restore", "--pg1-path=" + directory);
  }
}
