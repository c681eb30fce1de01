package org.stellaops.backup.files;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Another JVM with the classes of this one. Closing it kills it with SIGKILL. */
final class ChildJvm implements AutoCloseable {
  private final Process process;
  private final BufferedReader lines;

  private ChildJvm(Process process) {
    this.process = process;
    this.lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  static ChildJvm run(Class<?> main, Object... arguments) throws IOException {
    return start(List.of(), main, arguments);
  }

  /**
   * One that obeys the modes of files. Root does so without the two capabilities that set it above
   * them (capabilities(7)); anybody else does anyhow.
   */
  static ChildJvm withoutPrivileges(Class<?> main, Object... arguments) throws IOException {
    boolean isRoot = "root".equals(System.getProperty("user.name"));
    return start(
        isRoot ? List.of("setpriv", "--bounding-set", "-dac_override,-dac_read_search") : List.of(),
        main,
        arguments);
  }

  private static ChildJvm start(List<String> prefix, Class<?> main, Object... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx64m");
    command.add("-Dfile.encoding=UTF-8");
    command.add("-Dsun.jnu.encoding=" + System.getProperty("sun.jnu.encoding"));
    command.add("-cp");
    command.add(System.getProperty("java.class.path").replace('\n', File.pathSeparatorChar));
    command.add(main.getName());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return new ChildJvm(
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  /** The next line it prints; waits for it. */
  String line() throws IOException {
    String line = lines.readLine();
    if (line == null) {
      throw new IOException("the child printed nothing more");
    }
    return line;
  }

  void kill() {
    process.destroyForcibly().onExit().join();
  }

  @Override
  public void close() {
    kill();
  }
}
