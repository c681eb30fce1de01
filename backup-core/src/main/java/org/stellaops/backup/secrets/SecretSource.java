package org.stellaops.backup.secrets;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.SecretProvider;
import org.stellaops.backup.spi.SourceDescription;

/**
 * Secrets by name. One artifact, {@code secrets.env}: a dotenv file of exactly the chosen secrets.
 *
 * <p>A secret that is missing or empty fails the check, and so stops the run before anything is
 * stored. Names are told, values never: neither in messages nor in findings nor in the inventory.
 * What is read is wiped when the capture ends.
 */
public final class SecretSource implements BackupSource {
  /** Format of what this source captures. */
  public static final String KIND = "secrets/1";

  static final ArtifactName ARTIFACT = ArtifactName.of("secrets.env");

  /** Property of the capture: names of the secrets, divided by commas. */
  static final String NAMES = "names";

  private static final String CHECK = "check.secrets";

  private final String where;
  private final Reader reader;
  private final Set<String> keys;
  private final @Nullable Path file;

  private SecretSource(String where, Reader reader, @Nullable Path file, String... keys) {
    this.where = where;
    this.reader = reader;
    this.file = file;
    this.keys = new LinkedHashSet<>(List.of(keys));
    for (String key : keys) {
      if (!Dotenv.isName(key)) {
        throw new IllegalArgumentException("no name of a secret in a dotenv file: " + key);
      }
    }
  }

  /**
   * Secrets of a dotenv file: lines {@code [export ]NAME=VALUE}, values plain or quoted, comments.
   * Captured are the lines as they stand there, so that a restore writes the same quotes. At most 1
   * MiB; the same name twice is an error.
   *
   * @param keys which secrets; none given: all
   * @throws IllegalArgumentException if one of the keys cannot be a name
   */
  public static SecretSource dotenv(Path file, String... keys) {
    return new SecretSource(file.toString(), () -> Dotenv.read(file), file, keys);
  }

  /**
   * Secrets of a provider, asked for at each capture; the secrets it gives are closed.
   *
   * @param keys which secrets; none given: all
   * @throws IllegalArgumentException if one of the keys cannot be a name
   */
  public static SecretSource of(SecretProvider provider, String... keys) {
    return new SecretSource("the secret provider", () -> provided(provider), null, keys);
  }

  private static Dotenv provided(SecretProvider provider) throws IOException, Dotenv.Malformed {
    Map<String, Secret> secrets = provider.secrets();
    byte[] text = new byte[0];
    try {
      for (String name : secrets.keySet()) {
        if (!Dotenv.isName(name)) {
          throw new Dotenv.Malformed("no name for a dotenv file: " + name);
        }
      }
      text = ProvidedSecrets.encode(secrets);
      return Dotenv.read(new ByteArrayInputStream(text));
    } finally {
      Arrays.fill(text, (byte) 0);
      secrets.values().forEach(Secret::close);
    }
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(KIND, Component.SECRETS, Stage.SECRETS);
  }

  @Override
  public void check(Checks checks) throws IOException {
    try (Dotenv secrets = read()) {
      chosen(secrets);
      checks.add(
          CheckResult.pass(CHECK, "%d secrets in %s".formatted(chosen(secrets).size(), where)));
    } catch (BackupException.Source e) {
      checks.add(CheckResult.fail(CHECK, String.valueOf(e.getMessage()), e.code().remedy()));
    }
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    try (Dotenv secrets = read()) {
      Set<String> names = chosen(secrets);
      byte[] lines = secrets.encode(names);
      try {
        session.expect(InventoryItem.of("secrets", names.size(), 0));
        session.artifact(ARTIFACT, Form.WHOLE, out -> out.write(lines));
        session.captured(InventoryItem.of("secrets", names.size(), lines.length));
        session.property(NAMES, String.join(",", new TreeSet<>(names)));
        session.progress(lines.length, names.size(), lines.length);
      } finally {
        Arrays.fill(lines, (byte) 0);
      }
    }
  }

  private Dotenv read() throws BackupException.Source {
    try {
      return reader.read();
    } catch (Dotenv.Malformed e) {
      throw failure(CoreFailure.SOURCE_FAILED, "%s: %s".formatted(where, e.getMessage()));
    } catch (IOException e) {
      throw new BackupException.Source(
          CoreFailure.REQUIRED_MISSING, "secrets cannot be read from %s".formatted(where), e);
    }
  }

  private Set<String> chosen(Dotenv secrets) throws BackupException.Source {
    Set<String> names = keys.isEmpty() ? secrets.names() : keys;
    if (names.isEmpty()) {
      throw failure(CoreFailure.REQUIRED_MISSING, "no secret stands in " + where);
    }
    List<String> missing = names.stream().filter(n -> !secrets.names().contains(n)).toList();
    if (!missing.isEmpty()) {
      throw failure(CoreFailure.REQUIRED_MISSING, "%s not found in %s".formatted(missing, where));
    }
    List<String> empty = names.stream().filter(secrets::isEmpty).toList();
    if (!empty.isEmpty()) {
      throw failure(CoreFailure.EMPTY_ARTIFACT, "%s empty in %s".formatted(empty, where));
    }
    return names;
  }

  private static BackupException.Source failure(FailureCode code, String message) {
    return new BackupException.Source(code, message);
  }

  /** The dotenv file it was read from; a provider has no place to restore to. */
  @Override
  public Optional<RestoreTarget> origin() {
    return Optional.ofNullable(file).map(SecretTarget::dotenv);
  }

  @Override
  public String toString() {
    return "SecretSource " + where + " " + keys;
  }

  @FunctionalInterface
  private interface Reader {
    Dotenv read() throws IOException, Dotenv.Malformed;
  }
}
