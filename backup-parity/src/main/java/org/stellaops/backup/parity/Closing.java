package org.stellaops.backup.parity;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Files that are closed together. */
final class Closing<C extends Closeable> implements Closeable {
  private final List<C> files = new ArrayList<>();

  C add(C file) {
    files.add(file);
    return file;
  }

  List<C> all() {
    return Collections.unmodifiableList(files);
  }

  @Override
  public void close() throws IOException {
    IOException first = null;
    for (C file : files) {
      try {
        file.close();
      } catch (IOException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
