package org.stellaops.backup.bundle;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.bundle.BundleReport.Reading;

/** A medium one operation of which fails, before or after it is done; then all, or none. */
final class FaultyMedium implements Medium {
  /** What becomes of it. */
  enum Fault {
    /** One operation says that there is no space, and does nothing. */
    FULL,
    /** One is done, and its answer is lost. */
    LOST_REPLY,
    /** From one operation on nothing is done any more. */
    GONE
  }

  private final Medium disk = new DiskMedium();
  private final Fault fault;
  private final int failAt;
  final List<String> operations = new ArrayList<>();

  FaultyMedium(Fault fault, int failAt) {
    this.fault = fault;
    this.failAt = failAt;
  }

  private interface Step<T> {
    T make() throws IOException;
  }

  private <T> T operation(String what, Step<T> step) throws IOException {
    int number = operations.size();
    operations.add(what);
    if (number == failAt && fault == Fault.FULL) {
      throw new IOException("No space left on device");
    }
    if (number >= failAt && fault == Fault.GONE) {
      throw new IOException("Input/output error");
    }
    T made = step.make();
    if (number == failAt) {
      throw new IOException("Input/output error");
    }
    return made;
  }

  private void step(String what, VoidStep step) throws IOException {
    operation(
        what,
        () -> {
          step.make();
          return what;
        });
  }

  private interface VoidStep {
    void make() throws IOException;
  }

  private Handle wrapped(Handle inner) {
    return new Handle() {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        step("write", () -> inner.write(bytes, offset, length));
      }

      @Override
      public void sync() throws IOException {
        step("sync", inner::sync);
      }

      @Override
      public void truncate(long bytes) throws IOException {
        step("truncate", () -> inner.truncate(bytes));
      }

      @Override
      public void close() throws IOException {
        inner.close();
        step("close", () -> {});
      }
    };
  }

  @Override
  public Handle create(Path file) throws IOException {
    return operation("create", () -> wrapped(disk.create(file)));
  }

  @Override
  public Handle append(Path file) throws IOException {
    return operation("append", () -> wrapped(disk.append(file)));
  }

  @Override
  public boolean exists(Path file) throws IOException {
    return disk.exists(file);
  }

  @Override
  public Reading reread(Path file, Bytes into) throws IOException {
    return operation("reread", () -> disk.reread(file, into));
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    step("rename", () -> disk.rename(from, to));
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    step("sync directory", () -> disk.syncDirectory(directory));
  }

  @Override
  public void delete(Path file) throws IOException {
    step("delete", () -> disk.delete(file));
  }
}
