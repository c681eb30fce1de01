package org.stellaops.backup.bundle;

import java.nio.file.Path;
import java.util.List;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;

/**
 * A bundle that was written whole. Its files got their names after everything was on the medium and
 * was read again: a file without {@code .incomplete} in its name is one that may be taken away.
 *
 * @param volumes its files, in order
 * @param reading how the files were read again
 * @param objects how many are in it
 * @param findings NOT_PRIVATE where the medium keeps no modes: whoever may look at it reads names,
 *     labels, times and sizes, and nothing that is encrypted
 */
public record BundleReport(
    List<Volume> volumes, Reading reading, long objects, List<Finding> findings) {
  public BundleReport {
    volumes = List.copyOf(volumes);
    findings = List.copyOf(findings);
  }

  /**
   * One file.
   *
   * @param file where it is
   * @param sizeBytes of it
   * @param digest of all its bytes, for a label or a delivery note
   */
  public record Volume(Path file, long sizeBytes, Digest digest) {}

  /** Where bytes came from when they were read again. */
  public enum Reading {
    /** From the medium itself, past the memory of the operating system. */
    FROM_MEDIUM,
    /**
     * As the operating system gave them, which may have been from memory, since the file system
     * lets nobody past it. Take the medium out, put it in and verify.
     */
    THROUGH_CACHE
  }

  /** Bytes of all files. */
  public long sizeBytes() {
    return volumes.stream().mapToLong(Volume::sizeBytes).sum();
  }
}
