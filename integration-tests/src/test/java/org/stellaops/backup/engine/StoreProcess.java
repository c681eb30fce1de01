package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;

/** A directory of objects behind a process of its own, which can be killed and started again. */
final class StoreProcess implements AutoCloseable {
  /** Below those that the system gives to connections: nobody takes it while it is free. */
  private static final int FIRST_PORT = 20_000;

  private static final int LAST_PORT = 32_000;
  private static final int BACKLOG = 50;

  private final Path directory;
  private final int port;
  private volatile Process process;

  private StoreProcess(Path directory, int port) throws IOException {
    this.directory = directory;
    this.port = port;
    this.process = launch();
  }

  /** Starts one. */
  static StoreProcess at(Path directory, RandomGenerator random) throws IOException {
    return new StoreProcess(directory, freePort(random));
  }

  private static int freePort(RandomGenerator random) throws IOException {
    while (true) {
      int port = random.nextInt(FIRST_PORT, LAST_PORT);
      try (ServerSocket free = listenOn(port)) {
        return free.getLocalPort();
      } catch (java.net.BindException taken) {
        // There are many others.
      }
    }
  }

  private static ServerSocket listenOn(int port) throws IOException {
    return new ServerSocket(port, BACKLOG, InetAddress.getLoopbackAddress());
  }

  /** Serves until its input ends. Directory and port. */
  public static void main(String[] arguments) throws IOException {
    ObjectStore store = DirectorySink.at(Path.of(arguments[0])).open(StoreContext.system());
    store.ability(StoreAbility.Strays.class).orElseThrow().sweep();
    try (StoreServer server = new StoreServer(listenOn(Integer.parseInt(arguments[1])), store)) {
      System.out.println("serving " + server.port());
      while (System.in.read() >= 0) {
        Thread.onSpinWait();
      }
    }
  }

  private Process launch() throws IOException {
    Process launched =
        SmallJvm.of(
                directory.resolveSibling(directory.getFileName() + "-tmp"),
                SmallJvm.ownClasses(),
                StoreProcess.class,
                directory.toString(),
                Integer.toString(port))
            .start();
    assertEquals(
        "serving " + port, launched.inputReader(StandardCharsets.UTF_8).readLine(), "a store");
    return launched;
  }

  /** How the process is used. */
  BackupSink sink(Consumer<RemoteSink.Moment> listener) {
    return new RemoteSink(port, listener);
  }

  /** The objects themselves, past the process. */
  BackupSink objects() {
    return DirectorySink.at(directory);
  }

  /** Ends it at once, by SIGKILL; from any thread. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** Starts it again where its clients look for it. */
  void restart() throws IOException {
    process = launch();
  }

  @Override
  public void close() {
    kill();
  }
}
