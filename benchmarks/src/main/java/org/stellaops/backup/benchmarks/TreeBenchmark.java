package org.stellaops.backup.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A mixed tree of about 1.5 GB beside restic and borg: first run, second run after a change,
 * restore.
 */
final class TreeBenchmark {
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 5);
  private static final Map<String, String> RESTIC = Map.of("RESTIC_PASSWORD", "benchmark");
  private static final Map<String, String> BORG =
      Map.of("BORG_PASSPHRASE", "benchmark", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "yes");

  private TreeBenchmark() {}

  static void run(Path work) throws Exception {
    Figures figures = new Figures();
    for (int round = 0; round < ROUNDS; round++) {
      round(work.resolve("round-" + round), figures, round);
      Trees.delete(work.resolve("round-" + round));
    }
    System.out.printf("%nmixed tree beside restic and borg, %d interleaved rounds%n", ROUNDS);
    figures.print();
    for (String peer : new String[] {"restic", "borg"}) {
      for (String step : new String[] {"backup", "second run", "restore"}) {
        figures.ratio("stella " + step + " wall s", peer + " " + step + " wall s");
        figures.ratio("stella " + step + " cpu s", peer + " " + step + " cpu s");
      }
      figures.ratio("stella MB stored", peer + " MB stored");
      figures.ratio("stella MB new in second run", peer + " MB new in second run");
    }
  }

  private static void round(Path work, Figures figures, int round) throws Exception {
    Path tree = work.resolve("tree");
    Path keys = Files.createDirectories(work.resolve("keys"));
    Path stella = work.resolve("stella");
    Path restic = work.resolve("restic");
    Path borg = work.resolve("borg");
    Trees.make(tree, 42 + round);
    Command.run(RESTIC, "restic", "init", "--repository-version", "2", "-r", restic.toString());
    Command.run(BORG, "borg", "init", "-e", "repokey-blake2", borg.toString());

    figures.add("stella backup", Command.run(Map.of(), stella("backup", tree, stella, keys)));
    figures.add("restic backup", restic(restic, "backup", tree.toString()));
    figures.add("borg backup", borgCreate(borg, "first", tree));
    stored(figures, "MB stored", stella, restic, borg, 0, 0, 0);

    long stellaFirst = Trees.size(stella);
    long resticFirst = Trees.size(restic);
    long borgFirst = Trees.size(borg);
    Trees.change(tree, 7 + round);
    figures.add("stella second run", Command.run(Map.of(), stella("backup", tree, stella, keys)));
    figures.add("restic second run", restic(restic, "backup", "--force", tree.toString()));
    figures.add("borg second run", borgCreate(borg, "second", tree));
    stored(
        figures, "MB new in second run", stella, restic, borg, stellaFirst, resticFirst, borgFirst);

    Path out = Files.createDirectories(work.resolve("out"));
    Path stellaOut = Files.createDirectory(out.resolve("stella"));
    figures.add(
        "stella restore", Command.run(Map.of(), stella("restore", stellaOut, stella, keys)));
    compare(tree, stellaOut);
    Trees.delete(stellaOut);
    figures.add(
        "restic restore",
        restic(restic, "restore", "latest", "--target", out.resolve("restic").toString()));
    Trees.delete(out.resolve("restic"));
    Path borgOut = Files.createDirectory(out.resolve("borg"));
    figures.add(
        "borg restore",
        Command.run(BORG, "bash", "-c", "cd " + borgOut + " && borg extract " + borg + "::second"));
  }

  private static String[] stella(String what, Path tree, Path repository, Path keys) {
    return Command.java(Tool.class, what, tree.toString(), repository.toString(), keys.toString());
  }

  private static Command.Took restic(Path repository, String... arguments) throws Exception {
    String[] command = new String[arguments.length + 4];
    command[0] = "restic";
    command[1] = "-r";
    command[2] = repository.toString();
    command[3] = "--no-cache";
    System.arraycopy(arguments, 0, command, 4, arguments.length);
    return Command.run(RESTIC, command);
  }

  private static Command.Took borgCreate(Path repository, String name, Path tree) throws Exception {
    return Command.run(
        BORG,
        "borg",
        "create",
        "--compression",
        "zstd,3",
        "--files-cache",
        "disabled",
        repository + "::" + name,
        tree.toString());
  }

  private static void stored(
      Figures figures, String what, Path stella, Path restic, Path borg, long s, long r, long b)
      throws Exception {
    figures.add("stella " + what, (Trees.size(stella) - s) / 1e6);
    figures.add("restic " + what, (Trees.size(restic) - r) / 1e6);
    figures.add("borg " + what, (Trees.size(borg) - b) / 1e6);
  }

  private static void compare(Path expected, Path found) throws Exception {
    Command.run(Map.of(), "diff", "-r", "-q", expected.toString(), found.toString());
  }
}
