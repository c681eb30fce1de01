package org.stellaops.backup.secrets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.RestorePlanning.Undo;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

class SecretsTest {
  /** Must never be seen outside an artifact or a file of secrets. */
  private static final String CANARY = "cAnArY-7f3a91e4";

  @TempDir Path temp;

  private Path env(String text) throws IOException {
    return Files.writeString(temp.resolve(".env"), text);
  }

  private static String artifact(SecretSource source) throws IOException {
    return new String(
        CaptureHarness.of(source).capture().bytes("secrets.env"), StandardCharsets.UTF_8);
  }

  private static CoreFailure failure(SecretSource source) {
    var e = assertThrows(BackupException.Source.class, () -> CaptureHarness.of(source).capture());
    return (CoreFailure) e.code();
  }

  @Test
  void chosen_lines_are_captured_as_they_stand_there() throws Exception {
    Path file =
        env(
            """
            # connection
            export MONGO='mongodb://u:p@host/?a=b#c'   # quoted
            OTHER=not chosen

            PLAIN = no
            """
                    .replace("PLAIN = no\n", "PLAIN=a b # comment\n")
                + "PEM=\"-----BEGIN\nabc \\\" def\n-----END\"\n"
                + "LAST=x");
    assertEquals(
        "export MONGO='mongodb://u:p@host/?a=b#c'   # quoted\n"
            + "PEM=\"-----BEGIN\nabc \\\" def\n-----END\"\n"
            + "LAST=x\n",
        artifact(SecretSource.dotenv(file, "MONGO", "PEM", "LAST")));
    assertEquals(
        Files.readString(file).replace("# connection\n", "").replace("\n\nPLAIN", "\nPLAIN") + "\n",
        artifact(SecretSource.dotenv(file)));
  }

  @Test
  void names_and_numbers_are_in_the_manifest() throws Exception {
    Path file = env("B=" + CANARY + "\nA=" + CANARY + "\n");
    Captured captured = CaptureHarness.of(SecretSource.dotenv(file)).capture();
    assertEquals("A,B", captured.source().properties().get("names"));
    assertEquals(2, captured.source().inventory().get(0).count());
    assertEquals(Form.WHOLE, captured.form("secrets.env"));
    assertFalse(captured.source().toString().contains(CANARY));
  }

  @ParameterizedTest
  @CsvSource({
    "MISSING, REQUIRED_MISSING",
    "NOTHING, EMPTY_ARTIFACT",
    "QUOTED, EMPTY_ARTIFACT",
    "BLANK, EMPTY_ARTIFACT",
    "COMMENT, EMPTY_ARTIFACT",
  })
  void a_missing_or_empty_secret_fails_before_anything_is_stored(String key, CoreFailure expected)
      throws Exception {
    Path file = env("GOOD=x\nNOTHING=\nQUOTED=\"\"\nBLANK=   \nCOMMENT= # none\n");
    SecretSource source = SecretSource.dotenv(file, "GOOD", key);
    assertEquals(expected, failure(source));
    var checks = CaptureHarness.checks(source);
    assertEquals(Verdict.FAIL, checks.get(0).verdict());
    assertTrue(checks.get(0).evidence().contains(key), checks::toString);
  }

  @Test
  void a_file_that_is_missing_or_holds_no_secret_fails() throws Exception {
    assertEquals(
        CoreFailure.REQUIRED_MISSING, failure(SecretSource.dotenv(temp.resolve("nowhere"))));
    assertEquals(CoreFailure.REQUIRED_MISSING, failure(SecretSource.dotenv(env("# only\n"))));
  }

  static final List<String> MALFORMED =
      List.of(
          "A=x\nA=" + CANARY + "\n",
          CANARY + "\n",
          "A " + CANARY + "\n",
          "1A=" + CANARY + "\n",
          "A=\"" + CANARY + "\n",
          "A='" + CANARY,
          "A=\"x\" " + CANARY + "\n",
          "A='x'" + CANARY + "\n",
          "A-B=" + CANARY + "\n",
          "=" + CANARY + "\n",
          "export\nA=" + CANARY + "\n",
          "A=" + CANARY + "\u00e9\n");

  /** Everything that any exception, cause or suppressed one says. */
  private static String said(Throwable thrown) {
    var text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  @Test
  void what_is_no_dotenv_file_is_refused_without_repeating_it() throws Exception {
    for (String text : MALFORMED.subList(0, MALFORMED.size() - 1)) {
      Path file = env(text);
      SecretSource source = SecretSource.dotenv(file);
      var e = assertThrows(BackupException.Source.class, () -> CaptureHarness.of(source).capture());
      assertFalse(said(e).contains(CANARY), text);
      assertFalse(CaptureHarness.checks(source).toString().contains(CANARY), text);
      assertFalse(source.toString().contains(CANARY), text);
    }
    Path latin = temp.resolve("latin");
    Files.write(latin, MALFORMED.get(MALFORMED.size() - 1).getBytes(StandardCharsets.ISO_8859_1));
    var e =
        assertThrows(
            BackupException.Source.class,
            () -> CaptureHarness.of(SecretSource.dotenv(latin)).capture());
    assertTrue(e.getMessage().contains("not UTF-8"), e.getMessage());
    assertFalse(said(e).contains(CANARY));
  }

  @Test
  void keys_that_are_no_names_are_refused_at_once() {
    assertThrows(
        IllegalArgumentException.class, () -> SecretSource.dotenv(temp.resolve(".env"), "a b"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "simple",
        "with space",
        "a#b",
        "dollar$HOME",
        "it's",
        "both ' and \"",
        "back\\slash's",
        "line\nbreak",
        "line\nbreak and '",
        "tick`s'",
        "\u00fc\uD83D\uDE00"
      })
  void secrets_of_a_provider_survive_being_written_as_lines(String value) throws Exception {
    Map<String, Secret> secrets = new LinkedHashMap<>();
    secrets.put("B", Secret.of(value));
    secrets.put("A", Secret.of("x"));
    Captured captured = CaptureHarness.of(SecretSource.of(() -> secrets)).capture();
    long unwiped = secrets.get("B").use(c -> new String(c).chars().filter(x -> x != 0).count());
    assertEquals(0, unwiped);

    Path script = temp.resolve("check.sh");
    Files.write(script, captured.bytes("secrets.env"));
    Files.writeString(script, "printf %s \"$B\"\n", java.nio.file.StandardOpenOption.APPEND);
    Process shell = new ProcessBuilder("sh", script.toString()).redirectErrorStream(true).start();
    assertEquals(value, new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
  }

  @Test
  void restoring_replaces_names_and_keeps_everything_else() throws Exception {
    Path file = env("A='old a'\nB=old\n");
    Captured captured = CaptureHarness.of(SecretSource.dotenv(file)).capture();
    Files.writeString(file, "# mine\nZ=keep\nB=live # note\n\n# end\nlast=1");

    var harness = RestoreHarness.of(SecretTarget.dotenv(file), captured);
    var planned = harness.restore();

    assertEquals("# mine\nZ=keep\nB=old\n\n# end\nlast=1\nA='old a'\n", Files.readString(file));
    assertEquals("# mine\nZ=keep\nB=live # note\n\n# end\nlast=1", bak());
    assertEquals(List.of("B in " + file), planned.overwrites());
    assertEquals(Undo.SWAP_BACK, planned.undo());
    assertModes();
  }

  private String bak() throws IOException {
    return Files.readString(temp.resolve(".env.bak"));
  }

  private void assertModes() throws IOException {
    List<String> open = new ArrayList<>();
    try (var files = Files.list(temp)) {
      for (Path path : (Iterable<Path>) files::iterator) {
        boolean isUndo = path.getFileName().toString().contains("stella-undo");
        if (!isUndo && !Files.getAttribute(path, "unix:mode").equals(0100600)) {
          open.add(path + " " + Files.getAttribute(path, "unix:mode"));
        }
      }
    }
    assertEquals(List.of(), open);
  }

  @Test
  void restoring_to_an_absent_file_makes_it_private() throws Exception {
    Captured captured = CaptureHarness.of(SecretSource.dotenv(env("A=x\n"))).capture();
    Path fresh = temp.resolve("fresh.env");
    Files.delete(temp.resolve(".env"));
    var planned = RestoreHarness.of(SecretTarget.dotenv(fresh), captured).restore();
    assertEquals("A=x\n", Files.readString(fresh));
    assertEquals(Undo.REMOVE, planned.undo());
    assertModes();
  }

  @Test
  void rolling_back_brings_the_same_file_back() throws Exception {
    Path file = env("A=x\n");
    Captured captured = CaptureHarness.of(SecretSource.dotenv(file)).capture();
    Files.writeString(file, "A=live without an end");
    Object key = Files.getAttribute(file, "unix:ino");
    var harness = RestoreHarness.of(SecretTarget.dotenv(file), captured);
    harness.stage();
    harness.publish();
    harness.publish();
    assertEquals("A=x\n", Files.readString(file));

    harness.rollBack();
    harness.rollBack();

    assertEquals("A=live without an end", Files.readString(file));
    assertEquals(key, Files.getAttribute(file, "unix:ino"));
    assertEquals(List.of(".env", ".env.bak"), names());
  }

  private List<String> names() throws IOException {
    try (var files = Files.list(temp)) {
      return files.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void rolling_back_an_absent_file_removes_it() throws Exception {
    Captured captured = CaptureHarness.of(SecretSource.dotenv(env("A=x\n"))).capture();
    Files.delete(temp.resolve(".env"));
    var harness = RestoreHarness.of(SecretTarget.dotenv(temp.resolve("fresh")), captured);
    harness.stage();
    harness.publish();
    harness.rollBack();
    assertEquals(List.of(), names());
  }

  @Test
  void a_file_that_is_no_dotenv_file_blocks_the_restore_and_stays() throws Exception {
    Captured captured = CaptureHarness.of(SecretSource.dotenv(env("A=x\n"))).capture();
    Path file = Files.writeString(temp.resolve("odd"), "not " + CANARY);
    var harness = RestoreHarness.of(SecretTarget.dotenv(file), captured);
    assertFalse(harness.plan().isPossible());
    assertFalse(harness.plan().blockers().toString().contains(CANARY));
    var e = assertThrows(BackupException.Target.class, harness::stage);
    assertFalse(said(e).contains(CANARY));
    assertEquals("not " + CANARY, Files.readString(file));
  }
}
