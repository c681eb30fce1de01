package org.stellaops.backup.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.management.OperatingSystemMXBean;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.stellaops.backup.crypto.Age;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.spi.Encryptor.Sealing;
import org.stellaops.backup.spi.SealedFormat;

/**
 * Encryption and decryption of 1 GiB beside the {@code age} binary, which must be installed.
 *
 * <p>From a file in the page cache to nowhere, since what a machine does with a gigabyte of fresh
 * pages varies more than what is measured. The rounds are interleaved, and in each somebody else
 * begins; the medians are printed. The binary's time includes its start, ours is that of a running
 * JVM. Before anything is measured each is shown to read what the others write.
 */
public final class AgeBenchmark {
  private static final long PLAIN_BYTES = 1L << 30;
  private static final int ROUNDS = 5;
  private static final int THREADS = 2;
  private static final String BINARY = "age binary";
  private static final int BUFFER_BYTES = 128 * 1024;

  private static final Path NOWHERE = Path.of("/dev/null");

  private final Path plain;
  private final Path sealed;
  private final Path opened;
  private final Path identityFile;
  private final AgeIdentity identity;
  private final AgeRecipient recipient;

  private AgeBenchmark(Path directory, AgeIdentity identity) {
    this.plain = directory.resolve("age-benchmark.plain");
    this.sealed = directory.resolve("age-benchmark.age");
    this.opened = directory.resolve("age-benchmark.opened");
    this.identityFile = directory.resolve("age-benchmark.identity");
    this.identity = identity;
    this.recipient = identity.recipient();
  }

  /** The only argument is a directory with 3 GiB of space. */
  public static void main(String[] arguments) throws Exception {
    run(Path.of(arguments[0]));
  }

  /**
   * Measures, and prints a table.
   *
   * @param workDirectory exists; what is written there is removed
   */
  static void run(Path workDirectory) throws IOException, InterruptedException {
    ExecutorService executor = Executors.newFixedThreadPool(THREADS);
    try (AgeIdentity identity = AgeIdentity.generate()) {
      new AgeBenchmark(workDirectory, identity).measureAll(executor);
    } finally {
      executor.shutdown();
    }
  }

  private void measureAll(ExecutorService executor) throws IOException, InterruptedException {
    var ways = new LinkedHashMap<String, Way>();
    ways.put(BINARY, new Way(this::binaryEncrypts, this::binaryDecrypts));
    ways.put("ours, Conscrypt, 2 threads", ours(Age.parallel(executor, THREADS)));
    ways.put("ours, Conscrypt, 1 thread", ours(Age.format()));
    ways.put("ours, JDK alone, 1 thread", ours(Age.withoutConscrypt()));
    try {
      identity.writeTo(identityFile);
      write(PLAIN_BYTES / 16);
      prove(ways);
      write(PLAIN_BYTES);
      binaryEncrypts(sealed);
      print(measure(ways));
    } finally {
      for (Path path : List.of(plain, sealed, opened, identityFile)) {
        Files.deleteIfExists(path);
      }
    }
  }

  private void prove(Map<String, Way> ways) throws IOException, InterruptedException {
    for (Map.Entry<String, Way> writer : ways.entrySet()) {
      writer.getValue().encrypting().into(sealed);
      for (Map.Entry<String, Way> reader : ways.entrySet()) {
        reader.getValue().decrypting().into(opened);
        if (Files.mismatch(plain, opened) >= 0) {
          throw new IOException(
              "%s does not read what %s wrote".formatted(reader.getKey(), writer.getKey()));
        }
      }
    }
  }

  private static Map<String, List<Cost>> measure(Map<String, Way> ways)
      throws IOException, InterruptedException {
    var costs = new LinkedHashMap<String, List<Cost>>();
    for (int round = 0; round < ROUNDS; round++) {
      List<String> order = new ArrayList<>(ways.keySet());
      Collections.rotate(order, round);
      for (String who : order) {
        Way way = Objects.requireNonNull(ways.get(who));
        add(costs, "encrypt, " + who, way.encrypting().into(NOWHERE));
        add(costs, "decrypt, " + who, way.decrypting().into(NOWHERE));
      }
    }
    return costs;
  }

  private static void add(Map<String, List<Cost>> costs, String what, Cost cost) {
    costs.computeIfAbsent(what, key -> new ArrayList<>()).add(cost);
  }

  private Cost binaryEncrypts(Path to) throws IOException, InterruptedException {
    return child("age -r %s -o %s %s".formatted(recipient.text(), to, plain));
  }

  private Cost binaryDecrypts(Path to) throws IOException, InterruptedException {
    return child("age -d -i %s -o %s %s".formatted(identityFile, to, sealed));
  }

  private Way ours(SealedFormat format) {
    return new Way(to -> own(() -> encrypt(format, to)), to -> own(() -> decrypt(format, to)));
  }

  private void encrypt(SealedFormat format, Path into) throws IOException {
    try (InputStream from = new FileInputStream(plain.toFile());
        OutputStream to = Files.newOutputStream(into);
        Sealing sealing = format.seal(to, List.of(recipient))) {
      copy(from, sealing);
      sealing.finish();
    }
  }

  private void decrypt(SealedFormat format, Path into) throws IOException {
    try (InputStream from = format.open(new FileInputStream(sealed.toFile()), List.of(identity));
        OutputStream to = Files.newOutputStream(into)) {
      copy(from, to);
    }
  }

  private static void copy(InputStream from, OutputStream to) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    for (int read; (read = from.read(buffer)) >= 0; ) {
      to.write(buffer, 0, read);
    }
  }

  private static Cost own(Step step) throws IOException {
    Duration cpu = processCpu();
    long start = System.nanoTime();
    step.run();
    return new Cost(Duration.ofNanos(System.nanoTime() - start), processCpu().minus(cpu));
  }

  private static Duration processCpu() {
    var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    return Duration.ofNanos(system.getProcessCpuTime());
  }

  private static Cost child(String command) throws IOException, InterruptedException {
    String timed = "TIMEFORMAT='%R %U %S'; time " + command;
    Process process = new ProcessBuilder("bash", "-c", timed).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IOException("%s failed: %s".formatted(command, output));
    }
    String[] seconds = output.split(" ", -1);
    return new Cost(seconds(seconds[0]), seconds(seconds[1]).plus(seconds(seconds[2])));
  }

  private static Duration seconds(String text) {
    return Duration.ofNanos(Math.round(Double.parseDouble(text) * 1e9));
  }

  private static void print(Map<String, List<Cost>> costs) {
    System.out.printf("age, %d MiB, medians of %d interleaved rounds%n", PLAIN_BYTES >> 20, ROUNDS);
    System.out.printf(
        "%-36s %8s %8s %8s %22s%n", "", "wall s", "CPU s", "GB/s", "throughput of age = 1");
    for (String what : List.of("encrypt", "decrypt")) {
      double binarySeconds =
          median(costs.getOrDefault(what + ", " + BINARY, List.of()), Cost::wall);
      costs.forEach(
          (who, all) -> {
            if (who.startsWith(what)) {
              double wall = median(all, Cost::wall);
              System.out.printf(
                  "%-36s %8.2f %8.2f %8.2f %21.2fx%n",
                  who,
                  wall,
                  median(all, Cost::cpu),
                  PLAIN_BYTES / wall / 1e9,
                  binarySeconds / wall);
            }
          });
    }
  }

  private static double median(List<Cost> costs, Function<Cost, Duration> of) {
    double[] seconds =
        costs.stream().map(of).mapToDouble(duration -> duration.toNanos() / 1e9).sorted().toArray();
    return seconds[seconds.length / 2];
  }

  private void write(long bytes) throws IOException {
    var random = new Random(1);
    byte[] block = new byte[1024 * 1024];
    try (OutputStream out = Files.newOutputStream(plain)) {
      for (long left = bytes; left > 0; left -= block.length) {
        random.nextBytes(block);
        out.write(block);
      }
    }
  }

  /** What one run took. */
  private record Cost(Duration wall, Duration cpu) {}

  /** Who encrypts and decrypts, each once. */
  private record Way(Measured encrypting, Measured decrypting) {}

  /** One run, with what it cost. */
  private interface Measured {
    Cost into(Path file) throws IOException, InterruptedException;
  }

  /** One run. */
  private interface Step {
    void run() throws IOException;
  }
}
