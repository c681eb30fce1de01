package org.stellaops.backup.testkit;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;

/** Where the plain bytes of one artifact are kept: in memory, or in a file of the test's. */
abstract class ArtifactBytes {
  /** More than this belongs into a file. */
  private static final int MAX_MEMORY_BYTES = 256 << 20;

  /** Kept in {@code directory}, or in memory where there is none. */
  static ArtifactBytes of(ArtifactName name, @Nullable Path directory) {
    return directory == null ? new InMemory(name) : new InFile(directory.resolve(name.value()));
  }

  /** Replaces whatever a failed attempt left. The caller closes. */
  abstract OutputStream create() throws IOException;

  /** The bytes from the beginning. The caller closes. */
  abstract InputStream open() throws IOException;

  /** Forgets the bytes. */
  abstract void discard() throws IOException;

  /** The file, where there is one. */
  abstract Optional<Path> file();

  private static final class InMemory extends ArtifactBytes {
    private final ArtifactName name;
    private byte[] bytes = new byte[0];

    InMemory(ArtifactName name) {
      this.name = name;
    }

    @Override
    OutputStream create() {
      return new ByteArrayOutputStream() {
        @Override
        public synchronized void write(byte[] buffer, int offset, int length) {
          if (count + (long) length > MAX_MEMORY_BYTES) {
            throw new IllegalStateException(
                "artifact %s is larger than %d bytes. hint: CaptureHarness.spoolTo(directory)"
                    .formatted(name, MAX_MEMORY_BYTES));
          }
          super.write(buffer, offset, length);
        }

        @Override
        public void close() {
          bytes = toByteArray();
        }
      };
    }

    @Override
    InputStream open() {
      return new ByteArrayInputStream(bytes);
    }

    @Override
    void discard() {
      bytes = new byte[0];
    }

    @Override
    Optional<Path> file() {
      return Optional.empty();
    }
  }

  private static final class InFile extends ArtifactBytes {
    private final Path file;

    InFile(Path file) {
      this.file = file;
    }

    @Override
    OutputStream create() throws IOException {
      return Files.newOutputStream(file);
    }

    @Override
    InputStream open() throws IOException {
      return Files.newInputStream(file);
    }

    @Override
    void discard() throws IOException {
      Files.deleteIfExists(file);
    }

    @Override
    Optional<Path> file() {
      return Optional.of(file);
    }
  }
}
