package org.stellaops.backup.bundle;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import org.stellaops.backup.bundle.BundleReport.Reading;

/** The few things that are done with a medium that may be full, or gone, at any of them. */
interface Medium {
  /** A file that is written. */
  interface Handle extends Closeable {
    void write(byte[] bytes, int offset, int length) throws IOException;

    /** What was written is on the medium when this returns. */
    void sync() throws IOException;

    /** Takes back what was written behind so many bytes. */
    void truncate(long bytes) throws IOException;
  }

  /** Takes what is read. */
  @FunctionalInterface
  interface Bytes {
    void take(byte[] bytes, int length) throws IOException;
  }

  /** Makes a private file. The caller closes. */
  Handle create(Path file) throws IOException;

  /** Opens one that was made before, to write on behind its end. The caller closes. */
  Handle append(Path file) throws IOException;

  boolean exists(Path file) throws IOException;

  /** Reads a file from the medium itself where that is possible; says whether it was. */
  Reading reread(Path file, Bytes into) throws IOException;

  /** Gives a file a name that no other has. */
  void rename(Path from, Path to) throws IOException;

  void syncDirectory(Path directory) throws IOException;

  /** Absent: nothing happens. */
  void delete(Path file) throws IOException;
}
