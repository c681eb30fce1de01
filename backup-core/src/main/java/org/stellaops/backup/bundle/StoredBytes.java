package org.stellaops.backup.bundle;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.stellaops.backup.internal.disk.MediumFailures;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreContext;

/** Bytes that lie in a file or are an object of a store, read from their beginning. */
interface StoredBytes {
  /** A path or a URI for humans, without credentials. */
  String describe();

  /** The bytes. The caller closes. */
  InputStream open() throws IOException;

  /** Those of a file. */
  static StoredBytes of(Path file) {
    return new StoredBytes() {
      @Override
      public String describe() {
        return file.toString();
      }

      @Override
      public InputStream open() throws IOException {
        try {
          return new FromMedium(Files.newInputStream(file), describe(), PrivateFiles.parent(file));
        } catch (NoSuchFileException e) {
          throw new BackupException.Sink(
              CoreFailure.MEDIUM_GONE, Reason.NOT_FOUND, "there is no " + file, e);
        } catch (IOException e) {
          throw MediumFailures.reading("read " + file, PrivateFiles.parent(file), e);
        }
      }
    };
  }

  /** Those of an object, in a store that is open as long as they are read. */
  static StoredBytes of(ObjectLocation location, ObjectName name) {
    return new StoredBytes() {
      @Override
      public String describe() {
        return name + " in " + location.describe();
      }

      @Override
      public InputStream open() throws IOException {
        ReadableStore store = location.open(StoreContext.system());
        boolean isOpen = false;
        try {
          InputStream in = store.open(name, ByteRange.ALL);
          isOpen = true;
          return new ClosingBoth(in, store);
        } finally {
          if (!isOpen) {
            store.close();
          }
        }
      }
    };
  }

  /** Closes the store behind the object. */
  final class ClosingBoth extends FilterInputStream {
    private final ReadableStore store;

    private ClosingBoth(InputStream in, ReadableStore store) {
      super(in);
      this.store = store;
    }

    @Override
    public void close() throws IOException {
      try {
        super.close();
      } finally {
        store.close();
      }
    }
  }
}
