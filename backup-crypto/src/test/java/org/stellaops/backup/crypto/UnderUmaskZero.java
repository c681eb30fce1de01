package org.stellaops.backup.crypto;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Collectors;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;
import org.stellaops.backup.spi.Stanza;

/** A program that makes every kind of file and prints their modes; its umask is its caller's. */
final class UnderUmaskZero {
  private UnderUmaskZero() {}

  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    Files.createFile(directory.resolve("a-usual-file"));
    Path plain = Files.writeString(directory.resolve("plain"), "hello");
    try (AgeIdentity identity = AgeIdentity.generate()) {
      identity.writeTo(directory.resolve("identity.txt"));
      identity.writeTo(directory.resolve("identity.age"), Secret.of("secret"));
      WriterKeyFile keys = WriterKeyFile.at(directory.resolve("writer.key"));
      try (var open = keys.open()) {
        open.bindTo("repository");
      }
      // While the file key is wrapped, the sealed file has just been made and is still empty.
      var watching = new Watching(identity.recipient(), directory);
      AgeFile.encrypt(Age.format(), plain, directory.resolve("sealed.age"), List.of(watching));
      AgeFile.decrypt(
          Age.format(),
          directory.resolve("sealed.age"),
          directory.resolve("again"),
          List.of(identity));
    }
    System.out.print(modes(directory));
  }

  private static String modes(Path directory) {
    try (var files = Files.list(directory)) {
      return files.map(UnderUmaskZero::mode).sorted().collect(Collectors.joining());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String mode(Path path) {
    try {
      String name = String.valueOf(path.getFileName());
      return "%s %s%n"
          .formatted(
              name.endsWith(".tmp") ? "temporary" : name,
              PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private record Watching(Recipient recipient, Path directory) implements Recipient {
    @Override
    public String text() {
      return recipient.text();
    }

    @Override
    public List<Stanza> wrap(FileKey key) throws IOException {
      modes(directory).lines().filter(line -> line.startsWith("temp")).forEach(System.out::println);
      return recipient.wrap(key);
    }

    @Override
    public SealedFormat format() {
      return recipient.format();
    }
  }
}
