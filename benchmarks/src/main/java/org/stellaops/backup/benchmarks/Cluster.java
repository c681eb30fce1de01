package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A PostgreSQL server of the machine's own packages, on the loopback interface, that nobody but a
 * benchmark uses. Its CPU seconds are those of its processes and of all that have ended.
 */
final class Cluster implements AutoCloseable {
  private static final Path PROGRAMS =
      Path.of(System.getProperty("benchmark.postgres", "/usr/lib/postgresql/15/bin"));
  private static final double TICKS_PER_SECOND = 100; // USER_HZ: proc(5)
  private static final long POLL_MILLIS = 10;
  private static final int FIRST_TIME = 11;
  private static final int TIMES = 4;

  private final Path home;
  private final Path server;
  private final int port;

  private Cluster(Path home, Path server, int port) {
    this.home = home;
    this.server = server;
    this.port = port;
  }

  /** Makes a cluster and starts it. Nothing but what is asked for happens in it. */
  static Cluster start(Path home) throws IOException, InterruptedException {
    return start(home, PROGRAMS, "");
  }

  /** The same of version 17, which knows what changed since an earlier backup. */
  static Cluster startWithSummaries(Path home) throws IOException, InterruptedException {
    return start(
        Files.createDirectories(home), unpack(home.resolve("server")), "summarize_wal = on\n");
  }

  private static Path unpack(Path into) throws IOException, InterruptedException {
    String machine = System.getProperty("os.arch").equals("aarch64") ? "arm_64" : "x86_64";
    Path packed = Files.createDirectories(into).resolve("packed");
    try (InputStream in =
        Cluster.class.getResourceAsStream("/postgres-linux-" + machine + ".txz")) {
      Files.copy(Objects.requireNonNull(in, "no server for " + machine), packed);
    }
    Command.run(Map.of(), List.of("tar", "-xJf", packed.toString(), "-C", into.toString()));
    return into.resolve("bin");
  }

  private static Cluster start(Path home, Path server, String settings)
      throws IOException, InterruptedException {
    Files.createDirectories(home);
    Cluster cluster = new Cluster(home, server, freePort());
    cluster.control("initdb", "-U", "postgres", "-A", "trust", "--data-checksums", "--locale=C");
    Files.writeString(
        cluster.data().resolve("postgresql.auto.conf"), cluster.settings() + settings);
    cluster.control("pg_ctl", "start", "-w", "-l", home.resolve("log").toString());
    return cluster;
  }

  /** pgbench's tables with a filler that does not vanish when it is compressed. */
  void fill(int scale) throws IOException, InterruptedException {
    Command.run(
        Map.of(),
        List.of(
            program("pgbench"),
            "-i",
            "-q",
            "-s",
            Integer.toString(scale),
            "-F",
            "90",
            "-h",
            home.toString(),
            "-p",
            Integer.toString(port),
            "-U",
            "postgres",
            "postgres"));
    sql(
        "ALTER TABLE pgbench_accounts ALTER filler TYPE char(84) USING"
            + " md5(aid::text) || md5((-aid)::text) || left(md5('x' || aid), 20)");
    sql("VACUUM (FREEZE, ANALYZE)");
    checkpoint();
  }

  /** Changes a row in 1 % of the blocks of the largest table, which lie in 100 runs. */
  void changeInRuns(int line) throws IOException, InterruptedException {
    change(
        line,
        "SELECT run * pages / 100 + i FROM generate_series(0, 99) run,"
            + " generate_series(0, pages / 10000 - 1) i");
  }

  /** The same number of blocks, anywhere. */
  void changeAtRandom(int line) throws IOException, InterruptedException {
    change(
        line,
        "SELECT b FROM generate_series(0, pages - 1) b ORDER BY md5(b || '/%d')".formatted(line)
            + " LIMIT pages / 10000 * 100");
  }

  /** The new version of a row goes to its own block, which has room for it. */
  private void change(int line, String blocks) throws IOException, InterruptedException {
    sql(
        """
        DO $$
        DECLARE
          pages bigint := pg_relation_size('pgbench_accounts') / 8192;
          changed bigint;
        BEGIN
          UPDATE pgbench_accounts SET abalance = abalance + 1
            WHERE ctid = ANY (ARRAY(SELECT format('(%%s,%d)', b)::tid FROM (%s) AS t (b)));
          GET DIAGNOSTICS changed = ROW_COUNT;
          IF changed <> pages / 10000 * 100 THEN
            RAISE 'changed %% blocks of %%', changed, pages;
          END IF;
        END $$"""
            .formatted(line, blocks));
    checkpoint();
  }

  /** What is dirty is written now, and not while somebody is measured. */
  void checkpoint() throws IOException, InterruptedException {
    sql("CHECKPOINT");
  }

  /** Takes effect before the next segment ends. */
  void archiveWith(String command) throws IOException, InterruptedException {
    sql("ALTER SYSTEM SET archive_command = '" + command + "'");
    sql("SELECT pg_reload_conf()");
  }

  /** User and system time of all processes of the server, once its clients have left it. */
  double cpuSeconds() throws IOException, InterruptedException {
    long server =
        Long.parseLong(Files.readAllLines(data().resolve("postmaster.pid")).get(0).strip());
    while (serves(server)) {
      Thread.sleep(POLL_MILLIS);
    }
    long ticks = 0;
    for (long process : family(server)) {
      String[] words = stat(process);
      for (int i = FIRST_TIME; words.length > i && i < FIRST_TIME + TIMES; i++) {
        ticks += Long.parseLong(words[i]);
      }
    }
    return ticks / TICKS_PER_SECOND;
  }

  private static boolean serves(long server) throws IOException {
    for (long process : family(server)) {
      String title = read(Path.of("/proc/" + process + "/cmdline"));
      if (title.contains("[local]") || title.contains("127.0.0.1(")) {
        return true;
      }
    }
    return false;
  }

  private static List<Long> family(long server) {
    try (Stream<ProcessHandle> children = ProcessHandle.of(server).orElseThrow().descendants()) {
      List<Long> all = new ArrayList<>(List.of(server));
      children.map(ProcessHandle::pid).forEach(all::add);
      return all;
    }
  }

  /** Words of {@code /proc/<pid>/stat} behind the name; none if the process has just ended. */
  private static String[] stat(long process) throws IOException {
    String line = read(Path.of("/proc/" + process + "/stat"));
    int name = line.lastIndexOf(')');
    return line.isEmpty() ? new String[0] : line.substring(name + 2).split(" ", -1);
  }

  private static String read(Path file) throws IOException {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  /** Files of the largest table: its segments and maps. */
  List<Path> accounts() throws IOException, InterruptedException {
    Path first = data().resolve(ask("SELECT pg_relation_filepath('pgbench_accounts')"));
    String number = first.getFileName().toString();
    try (Stream<Path> files = Files.list(first.getParent())) {
      return files.filter(p -> p.getFileName().toString().matches(number + "([._].*)?")).toList();
    }
  }

  Path data() {
    return home.resolve("data");
  }

  /** Directory of its Unix socket. */
  Path socket() {
    return home;
  }

  int port() {
    return port;
  }

  String jdbcUrl() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres";
  }

  /** Eight clients of pgbench, until they are stopped. */
  Process load() throws IOException {
    List<String> command =
        new ArrayList<>(List.of(program("pgbench"), "-n", "-c", "8", "-j", "2", "-T", "86400"));
    command.addAll(List.of("-h", home.toString(), "-p", Integer.toString(port)));
    command.addAll(List.of("-U", "postgres", "postgres"));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** What a query says: one value. */
  String ask(String query) throws IOException, InterruptedException {
    Path said = home.resolve("said");
    sql("COPY (" + query + ") TO '" + said + "'");
    try {
      return Files.readString(said).strip();
    } finally {
      Files.delete(said);
    }
  }

  static String program(String name) {
    return PROGRAMS.resolve(name).toString();
  }

  private void sql(String statement) throws IOException, InterruptedException {
    Command.run(
        Map.of(),
        List.of(
            program("psql"),
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            home.toString(),
            "-p",
            Integer.toString(port),
            "-U",
            "postgres",
            "-c",
            statement,
            "postgres"));
  }

  private String settings() {
    return """
        port = %d
        listen_addresses = '127.0.0.1'
        unix_socket_directories = '%s'
        shared_buffers = '256MB'
        max_wal_size = '4GB'
        max_slot_wal_keep_size = '64GB'
        checkpoint_timeout = '1h'
        autovacuum = off
        archive_mode = on
        archive_command = 'true'
        """
        .formatted(port, home);
  }

  /** PostgreSQL refuses to run as root; there it runs in a user namespace of its own. */
  private void control(String program, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    if (Files.getAttribute(home, "unix:uid").equals(0)) {
      command.addAll(List.of("unshare", "-U"));
    }
    command.addAll(List.of(server.resolve(program).toString(), "-D", data().toString()));
    command.addAll(List.of(arguments));
    Command.run(Map.of(), command);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Override
  public void close() throws IOException {
    try {
      control("pg_ctl", "stop", "-w", "-m", "fast");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
