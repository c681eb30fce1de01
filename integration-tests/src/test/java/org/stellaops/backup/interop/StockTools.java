package org.stellaops.backup.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A machine that has nothing but the tools of a rescue system: programs see an empty environment
 * and a PATH of exactly these.
 */
final class StockTools implements AutoCloseable {
  private static final List<String> TOOLS =
      List.of("age", "bash", "zstd", "tar", "jq", "sha256sum", "ssh-keygen", "sed");
  private static final List<String> COREUTILS =
      List.of(
          "base64",
          "basename",
          "cat",
          "dirname",
          "head",
          "ls",
          "mkdir",
          "mktemp",
          "rm",
          "sort",
          "split",
          "tail",
          "wc");
  private static final long LIMIT_SECONDS = 300;

  private final Path path;
  private final Path directory;
  private final Map<String, String> environment = new TreeMap<>();

  /**
   * @param directory where programs run, and where this keeps a directory of its own
   */
  StockTools(Path directory) throws IOException {
    this.directory = directory;
    this.path = Files.createDirectory(directory.resolve("stock-tools"));
    List<String> all = new ArrayList<>(TOOLS);
    all.addAll(COREUTILS);
    for (String tool : all) {
      Files.createSymbolicLink(path.resolve(tool), find(tool));
    }
    environment.put("PATH", path.toString());
    environment.put("RECOVER_TMP", Files.createDirectory(directory.resolve("private")).toString());
  }

  /** What bash and its programs see. */
  StockTools with(String variable, String value) {
    environment.put(variable, value);
    return this;
  }

  /** What is left of private files. */
  List<Path> left() throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("private"))) {
      return files.toList();
    }
  }

  /** Takes the links away before the directory goes, which must not lead out of itself. */
  @Override
  public void close() throws IOException {
    try (Stream<Path> links = Files.list(path)) {
      for (Path link : links.toList()) {
        Files.delete(link);
      }
    }
  }

  /** A program's end. */
  record Result(int exit, String text) {
    String good() {
      assertEquals(0, exit, text);
      return text;
    }

    void failed(String because) {
      assertTrue(exit != 0 && text.contains(because), () -> "exit " + exit + ": " + text);
    }
  }

  /** Runs bash, with a script and its arguments or with {@code -c} and a text. */
  Result bash(Object... arguments) throws IOException, InterruptedException {
    return run("", command(arguments));
  }

  /** The same, on a terminal at which this passphrase is typed whenever one is asked for. */
  Result bashAtTerminal(String passphrase, Object... arguments)
      throws IOException, InterruptedException {
    String line = String.join(" ", command(arguments).stream().map(a -> "'" + a + "'").toList());
    return run(
        (passphrase + "\n").repeat(3),
        List.of(find("script").toString(), "-qec", line, "/dev/null"));
  }

  private static List<String> command(Object... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(find("bash").toString()));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return command;
  }

  private Result run(String typed, List<String> command) throws IOException, InterruptedException {
    Path printed = Files.createTempFile(directory, "printed", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    try (OutputStream keyboard = process.getOutputStream()) {
      keyboard.write(typed.getBytes(StandardCharsets.UTF_8));
      keyboard.flush(); // stays open: at its end script would type an end of file
      assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), () -> command + " hangs");
    } finally {
      process.destroyForcibly();
    }
    return new Result(process.exitValue(), Files.readString(printed));
  }

  static Path find(String tool) {
    return Pattern.compile(File.pathSeparator)
        .splitAsStream(System.getenv("PATH"))
        .map(folder -> Path.of(folder, tool))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new AssertionError(tool + " is missing; .ci/peers installs it"));
  }
}
