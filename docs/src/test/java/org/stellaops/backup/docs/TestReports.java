package org.stellaops.backup.docs;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.stellaops.backup.docs.Capability.Proof;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.SAXException;

/** What Surefire and Failsafe wrote down about the tests of one build. */
final class TestReports {
  enum Outcome {
    PASSED,
    SKIPPED,
    FAILED
  }

  /** One invocation of a test method; the name of a parametrised one ends in its index. */
  record Invocation(String className, String name, Outcome outcome) {
    boolean isOf(Proof proof) {
      boolean sameClass =
          className.equals(proof.className()) || className.startsWith(proof.className() + "$");
      return sameClass && (proof.method().isEmpty() || isOfMethod(proof.method()));
    }

    private boolean isOfMethod(String method) {
      return name.equals(method)
          || name.startsWith(method + "(")
          || name.startsWith(method + "[")
          || name.startsWith(method + "{");
    }
  }

  private final List<Invocation> invocations;

  private TestReports(List<Invocation> invocations) {
    this.invocations = invocations;
  }

  /**
   * Reads the reports of all modules below {@code root}, two levels deep.
   *
   * @param started reports last written before this instant belong to another build
   */
  static TestReports of(Path root, Instant started) throws IOException {
    PathMatcher report =
        FileSystems.getDefault()
            .getPathMatcher("glob:**/target/{surefire,failsafe}-reports/TEST-*.xml");
    List<Invocation> invocations = new ArrayList<>();
    try (Stream<Path> files =
        Files.find(
            root, 5, (file, attributes) -> attributes.isRegularFile() && report.matches(file))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (!Files.getLastModifiedTime(file).toInstant().isBefore(started)) {
          invocations.addAll(read(file));
        }
      }
    }
    return new TestReports(invocations);
  }

  private static List<Invocation> read(Path file) throws IOException {
    var cases = parse(file).getElementsByTagName("testcase");
    List<Invocation> invocations = new ArrayList<>();
    for (int i = 0; i < cases.getLength(); i++) {
      var testCase = (Element) cases.item(i);
      invocations.add(
          new Invocation(
              testCase.getAttribute("classname"),
              testCase.getAttribute("name"),
              outcome(testCase)));
    }
    return invocations;
  }

  private static Document parse(Path file) throws IOException {
    try {
      var factory = DocumentBuilderFactory.newInstance();
      factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
      return factory.newDocumentBuilder().parse(file.toFile());
    } catch (ParserConfigurationException | SAXException e) {
      throw new IOException("no test report: " + file, e);
    }
  }

  private static Outcome outcome(Element testCase) {
    if (has(testCase, "skipped")) {
      return Outcome.SKIPPED;
    }
    boolean clean =
        !has(testCase, "failure")
            && !has(testCase, "error")
            && !has(testCase, "flakyFailure")
            && !has(testCase, "flakyError");
    return clean ? Outcome.PASSED : Outcome.FAILED;
  }

  private static boolean has(Element testCase, String child) {
    return testCase.getElementsByTagName(child).getLength() > 0;
  }

  List<Invocation> of(Proof proof) {
    return invocations.stream().filter(i -> i.isOf(proof)).toList();
  }
}
