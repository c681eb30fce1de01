package org.stellaops.backup.bundle;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import org.stellaops.backup.internal.disk.MediumFailures;

/** Bytes of a medium; what it says while it is read, as failures of a store. */
final class FromMedium extends FilterInputStream {
  private final String what;
  private final Path directory;

  /**
   * @param what is read, for messages
   * @param directory is asked whether it is there still
   */
  FromMedium(InputStream in, String what, Path directory) {
    super(in);
    this.what = what;
    this.directory = directory;
  }

  private IOException failed(IOException e) {
    return MediumFailures.reading("read " + what, directory, e);
  }

  @Override
  public int read() throws IOException {
    try {
      return super.read();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    try {
      return super.read(bytes, offset, length);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public long skip(long bytes) throws IOException {
    try {
      return super.skip(bytes);
    } catch (IOException e) {
      throw failed(e);
    }
  }
}
