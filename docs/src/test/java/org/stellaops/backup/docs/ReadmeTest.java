package org.stellaops.backup.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.module.FindException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.docs.Markdown.Block;

class ReadmeTest {
  /** What the example takes for granted: {@code <!-- given: Type name, Type name -->}. */
  private static final Pattern GIVEN = Pattern.compile("<!-- given: (.*) -->");

  private static final List<String> JDK =
      List.of("java.io", "java.net", "java.nio.file", "java.time", "java.util");

  @TempDir Path classes;

  private List<Block> blocks;

  @BeforeEach
  void read() throws IOException {
    blocks = Markdown.blocks(Files.readAllLines(Project.root().resolve("README.md")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"Run it", "Test it"})
  void a_newcomer_needs_one_command(String section) {
    List<Block> commands = blocks.stream().filter(b -> b.section().equals(section)).toList();

    assertEquals(1, commands.size(), "fenced blocks below '## " + section + "'");
    List<String> lines = commands.get(0).lines().stream().filter(l -> !l.isBlank()).toList();
    assertEquals(1, lines.size(), () -> "one command, not " + lines);
    assertTrue(lines.get(0).startsWith("mvn "), lines.get(0));
  }

  @Test
  void the_examples_compile() {
    List<Block> examples = blocks.stream().filter(b -> b.language().equals("java")).toList();

    assertEquals(4, examples.size(), "java blocks in README.md");
    for (Block example : examples) {
      assertEquals(List.of(), compile(sourceOf(example)));
    }
  }

  @Test
  void an_example_that_does_not_compile_is_noticed() {
    var example = new Block("", "java", "", List.of("String s = 1;"));

    assertEquals(1, compile(sourceOf(example)).size());
  }

  private static String sourceOf(Block example) {
    List<String> imports = new ArrayList<>();
    List<String> body = new ArrayList<>();
    example.lines().forEach(l -> (l.startsWith("import ") ? imports : body).add(l));
    for (String name : exportedPackages()) {
      imports.add("import " + name + ".*;");
    }
    JDK.forEach(name -> imports.add("import " + name + ".*;"));
    var given = GIVEN.matcher(example.before());
    String parameters = given.matches() ? given.group(1) : "";
    return String.join("\n", imports)
        + "\nclass Readme {\n  void example("
        + parameters
        + ") throws Exception {\n"
        + String.join("\n", body)
        + "\n  }\n}\n";
  }

  private static Set<String> exportedPackages() {
    Set<String> names = new TreeSet<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      descriptors(Path.of(entry)).stream()
          .filter(module -> module.name().startsWith("org.stellaops.backup."))
          .flatMap(module -> module.exports().stream())
          .filter(export -> !export.isQualified())
          .forEach(export -> names.add(export.source()));
    }
    assertTrue(names.contains("org.stellaops.backup.model"), () -> "exported: " + names);
    return names;
  }

  private static List<ModuleDescriptor> descriptors(Path entry) {
    try {
      return ModuleFinder.of(entry).findAll().stream().map(m -> m.descriptor()).toList();
    } catch (FindException e) {
      return List.of(); // a jar that can only be on the class path, so none of ours
    }
  }

  private List<String> compile(String source) {
    var problems = new DiagnosticCollector<JavaFileObject>();
    var file =
        new SimpleJavaFileObject(URI.create("string:///Readme.java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return source;
          }
        };
    var options =
        List.of(
            "--release",
            "17",
            "-proc:none",
            "-d",
            classes.toString(),
            "-classpath",
            System.getProperty("java.class.path"));
    boolean compiled =
        ToolProvider.getSystemJavaCompiler()
            .getTask(null, null, problems, options, null, List.of(file))
            .call();
    List<String> errors =
        problems.getDiagnostics().stream()
            .filter(d -> d.getKind() == javax.tools.Diagnostic.Kind.ERROR)
            .map(Object::toString)
            .toList();
    assertEquals(compiled, errors.isEmpty());
    return errors;
  }
}
