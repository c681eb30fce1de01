package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Five collections of more than 500 MB beside mongodump and mongorestore, which must be installed,
 * against a server that answers prepared replies: what is measured is the client. In each round
 * somebody else begins.
 */
final class MongoBenchmark {
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 5);
  private static final int MEGABYTES = Integer.getInteger("benchmark.mongo.megabytes", 520);

  private final Figures figures = new Figures();
  private final CannedMongo server;
  private final Service service;
  private final Path work;

  private MongoBenchmark(CannedMongo server, Service service, Path work) {
    this.server = server;
    this.service = service;
    this.work = work;
  }

  static void run(Path work) throws Exception {
    Files.createDirectories(work);
    try (CannedMongo server = CannedMongo.start(MEGABYTES);
        Service service = Service.start()) {
      var benchmark = new MongoBenchmark(server, service, work);
      benchmark.warmUp();
      for (int round = 0; round < ROUNDS; round++) {
        benchmark.round(round);
      }
      benchmark.print();
    }
  }

  /** One run, which leaves what it wrote at a path. */
  @FunctionalInterface
  private interface Way {
    Command.Took into(Path path) throws IOException, InterruptedException;
  }

  private void warmUp() throws Exception {
    for (int i = 0; i < 2; i++) {
      for (Way way : ours().values()) {
        way.into(work.resolve("warm-up"));
        delete(work.resolve("warm-up"));
      }
    }
  }

  private Map<String, Way> ours() {
    Map<String, Way> ways = new LinkedHashMap<>();
    ways.put("stella, sealed repository", path -> service.run(order("backup-mongo", path)));
    ways.put("stella, archive in zstd", path -> service.run(order("archive-mongo-zstd", path)));
    ways.put("stella, plain archive", path -> service.run(order("archive-mongo", path)));
    return ways;
  }

  private List<String> order(String what, Path path) {
    return List.of(what, server.uri(), path.toString(), keys(path).toString());
  }

  /** Of one repository, so that a new one can stand where another one was. */
  private static Path keys(Path repository) {
    return repository.resolveSibling(repository.getFileName() + ".keys");
  }

  private static void delete(Path path) throws IOException {
    Trees.delete(path);
    Trees.delete(keys(path));
  }

  private void round(int round) throws Exception {
    Map<String, Way> ways = ours();
    ways.put("mongodump --gzip", path -> dump(path, List.of("--gzip")));
    ways.put("mongodump", path -> dump(path, List.of()));
    List<String> names = new ArrayList<>(ways.keySet());
    Collections.rotate(names, round);
    for (String name : names) {
      Path path = work.resolve("out");
      Command.run(Map.of(), List.of("sync"));
      figures.add(name, Objects.requireNonNull(ways.get(name)).into(path));
      figures.add(name + " MB", size(path) / 1e6);
      if (!name.equals("stella, sealed repository") && !name.equals("mongodump")) {
        delete(path);
      } else {
        restore(name, path);
      }
    }
  }

  private static long size(Path path) throws IOException {
    return Files.isDirectory(path) ? Trees.size(path) : Files.size(path);
  }

  private void restore(String written, Path path) throws Exception {
    server.forget();
    boolean isOurs = written.startsWith("stella");
    Command.Took took =
        isOurs
            ? service.run(order("restore-mongo", path))
            : Command.run(
                Map.of(),
                List.of(
                    "mongorestore",
                    "--uri=" + server.uri(),
                    "--archive=" + path,
                    "--nsFrom=" + CannedMongo.DB + ".*",
                    "--nsTo=restored.*"));
    String name = isOurs ? "stella: restore" : "mongorestore";
    figures.add(name, took);
    figures.add(name + ", before the first insert s", server.phases().secondsBefore());
    figures.add(name + ", inserting s", server.phases().secondsInserting());
    figures.add(name + ", reading back s", server.phases().secondsReading());
    if (server.inserted("restored") != server.documents()) {
      throw new IOException(
          "%s inserted %d of %d documents"
              .formatted(name, server.inserted("restored"), server.documents()));
    }
    delete(path);
  }

  private Command.Took dump(Path path, List<String> options)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "mongodump",
                "--uri=" + server.uri(),
                "--db=" + CannedMongo.DB,
                "--archive=" + path));
    command.addAll(options);
    return Command.run(Map.of(), command);
  }

  private void print() {
    System.out.printf(
        "%n%.0f MB in 5 collections beside mongodump and mongorestore, %d interleaved rounds%n",
        server.bytes() / 1e6, ROUNDS);
    figures.print();
    for (String figure : List.of(" wall s", " cpu s", " MB")) {
      figures.ratio("stella, sealed repository" + figure, "mongodump --gzip" + figure);
      figures.ratio("stella, archive in zstd" + figure, "mongodump --gzip" + figure);
      figures.ratio("stella, plain archive" + figure, "mongodump" + figure);
    }
    figures.ratio("stella: restore wall s", "mongorestore wall s");
    figures.ratio("stella: restore cpu s", "mongorestore cpu s");
    figures.ratio("stella: restore, inserting s", "mongorestore, inserting s");
  }
}
