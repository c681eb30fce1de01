package org.stellaops.backup.interop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.bundle.BundleFile;
import org.stellaops.backup.bundle.BundleRequest;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;

/** The page in a bundle, carried out word by word on a machine that has stock tools alone. */
@Tag("interop")
class BundleRecoveryIT {
  private static final String PASSPHRASE = "correct horse battery staple";

  @TempDir Path directory;

  private final Blobs blobs = new Blobs().with("empty", new byte[0]).with("large", random());
  private AgeIdentity owner;
  private StockTools tools;

  private static byte[] random() {
    byte[] bytes = new byte[3_000_000];
    new Random(20261122).nextBytes(bytes);
    return bytes;
  }

  @BeforeEach
  void backUp() throws Exception {
    tools = new StockTools(directory);
    owner = AgeIdentity.generate();
    owner.writeTo(directory.resolve("owner.txt"));
  }

  @AfterEach
  void leaveNoKeyBehind() throws Exception {
    owner.close();
    assertEquals(List.of(), tools.left(), "keys and plain packs");
    tools.close();
  }

  private void makeBundle(String name, long volumeBytes, List<AgeRecipient> more) throws Exception {
    WriterKeyFile keys = WriterKeyFile.at(directory.resolve("writer.key")).named("host-a");
    keys.open().close();
    try (BackupEngine engine =
        BackupEngine.open(
            BackupPlan.named("stella")
                .source("blobs", blobs)
                .encryptTo(owner.recipient())
                .writer(keys)
                .trust(Trust.owner(keys.id()))
                .sink(DirectorySink.at(directory.resolve("repository")))
                .build())) {
      engine.backup(BackupRequest.full().named("first"));
      engine.backup(BackupRequest.full().named("nightly"));
      engine.writeBundle(
          BundleRequest.of(directory.resolve(name), SnapshotRef.named("nightly"))
              .volumeBytes(volumeBytes)
              .openedBy(more, owner));
    }
  }

  /** The commands of the page that lies in the bundle. */
  private List<String> commands(String first) throws Exception {
    String page = tools.bash("-c", "tar -xOf '%s' RECOVERY.md".formatted(first)).good();
    List<String> commands = new ArrayList<>();
    boolean isCommand = false;
    for (String line : page.lines().toList()) {
      if (line.startsWith("```")) {
        isCommand = !isCommand;
      } else if (isCommand && !line.startsWith("log/")) {
        commands.add(line);
      }
    }
    assertEquals(6, commands.size(), page);
    assertTrue(page.contains("good  nightly"), page);
    return commands;
  }

  private void assertExtracted() throws Exception {
    for (Map.Entry<String, byte[]> blob : blobs.all().entrySet()) {
      assertArrayEquals(
          blob.getValue(), Files.readAllBytes(directory.resolve("out/blobs/" + blob.getKey())));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {BundleFile.FAT32_BYTES, 1_000_000})
  void the_page_is_carried_out_as_it_is_written(long volumeBytes) throws Exception {
    String name = "stella's backup.enc";
    makeBundle(name, volumeBytes, List.of());
    boolean isOne = Files.exists(directory.resolve(name));
    String first = name.replace("'", "'\\''") + (isOne ? "" : ".001");
    // tar takes the page out of the first volume, and then complains that the archive goes on.
    List<String> commands = isOne ? commands(first) : commandsOfFirstVolume(first);

    for (String command : commands) {
      String printed = tools.bash("-euc", command).good();
      if (command.contains(" host ")) {
        assertTrue(printed.contains("## 3. Take everything out"), printed);
        assertTrue(printed.contains("3000000\tblobs/large"), printed);
      }
      if (command.contains(" verify ")) {
        assertTrue(printed.contains("Good \"stella-backup-v1\" signature for host-a"), printed);
      }
    }

    assertExtracted();
  }

  private List<String> commandsOfFirstVolume(String first) throws Exception {
    tools.bash("-c", "tar -xf '%s' RECOVERY.md || [ -s RECOVERY.md ]".formatted(first)).good();
    tools.bash("-c", "tar -cf page.tar RECOVERY.md").good();
    return commands("page.tar");
  }

  @Test
  void a_passphrase_is_asked_for_at_the_terminal() throws Exception {
    try (Secret passphrase = Secret.of(PASSPHRASE.toCharArray())) {
      makeBundle(
          "backup.enc", BundleFile.FAT32_BYTES, List.of(AgeRecipient.passphrase(passphrase)));
    }
    Files.delete(directory.resolve("owner.txt"));
    for (String command : commands("backup.enc")) {
      String typed = command.replace(" owner.txt ", " - ");
      Path script = directory.resolve("step.sh");
      Files.writeString(script, "set -eu\n" + typed + "\n");
      tools.bashAtTerminal(PASSPHRASE, script).good();
    }
    assertExtracted();
  }
}
