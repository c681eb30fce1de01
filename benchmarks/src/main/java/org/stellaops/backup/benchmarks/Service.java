package org.stellaops.backup.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A JVM that runs on from step to step, as a service does that backs itself up. */
final class Service implements AutoCloseable {
  private final Process process;
  private final BufferedReader answers;
  private final Writer orders;

  private Service(Process process) {
    this.process = process;
    this.answers = process.inputReader(StandardCharsets.UTF_8);
    this.orders = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
  }

  static Service start() throws IOException {
    return start("512m", Tool.class);
  }

  /**
   * One with so much heap at most.
   *
   * @param main takes orders if its only argument is {@code serve}
   */
  static Service start(String heap, Class<?> main) throws IOException {
    return new Service(
        new ProcessBuilder(Command.java(heap, main, List.of("serve")))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start());
  }

  /** Does what {@link Tool} does; the words hold no tabs. */
  Command.Took run(List<String> order) throws IOException {
    return runWatched(order).took();
  }

  /** The same, and the memory that the service had resident at its worst meanwhile. */
  Command.Peak runWatched(List<String> order) throws IOException {
    orders.write(String.join("\t", order) + "\n");
    orders.flush();
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the service ended; its error stands above");
    }
    String[] words = answer.split(" ", -1);
    return new Command.Peak(
        new Command.Took(Double.parseDouble(words[0]), Double.parseDouble(words[1])),
        Long.parseLong(words[2]));
  }

  @Override
  public void close() {
    try {
      orders.close();
      process.waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
