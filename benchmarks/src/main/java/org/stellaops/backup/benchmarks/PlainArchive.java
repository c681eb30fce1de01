package org.stellaops.backup.benchmarks;

import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.spi.ArtifactBody;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.ParentCapture;
import org.stellaops.backup.spi.Stopping;

/**
 * A capture whose archive becomes a file as it is, or in zstd at the level and with the threads of
 * a plan's defaults: what a source costs without a repository.
 */
final class PlainArchive implements CaptureSession {
  private final Path file;
  private final ExecutorService threads;
  private final boolean isCompressed;

  private PlainArchive(Path file, ExecutorService threads, boolean isCompressed) {
    this.file = file;
    this.threads = threads;
    this.isCompressed = isCompressed;
  }

  static void capture(BackupSource source, Path file, boolean isCompressed) throws IOException {
    ExecutorService threads =
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
    try {
      source.capture(new PlainArchive(file, threads, isCompressed));
    } finally {
      threads.shutdown();
    }
  }

  @Override
  public CapturedArtifact artifact(ArtifactName name, Form form, ArtifactBody body)
      throws IOException {
    boolean isArchive = name.value().endsWith(".archive");
    try (OutputStream out = isArchive ? open() : OutputStream.nullOutputStream()) {
      var plain = new Output(out);
      body.writeTo(plain);
      return new CapturedArtifact(name, plain.bytes, Digest.ofContent(new byte[0]));
    }
  }

  private OutputStream open() throws IOException {
    OutputStream plain = Files.newOutputStream(file);
    Limits limits = Limits.defaults();
    return isCompressed
        ? new ZstdOutputStreamNoFinalizer(plain, limits.compressionLevel())
            .setWorkers(limits.parallelism())
        : plain;
  }

  /** Into a file. */
  private static final class Output extends ArtifactOutput {
    private final OutputStream out;
    private long bytes;

    Output(OutputStream out) {
      this.out = out;
    }

    @Override
    public void boundary() {
      // There are no chunks.
    }

    @Override
    public void write(byte[] content, int offset, int length) throws IOException {
      bytes += length;
      out.write(content, offset, length);
    }
  }

  @Override
  public SourceName source() {
    return SourceName.of("source");
  }

  @Override
  public RunId run() {
    return new RunId("benchmark");
  }

  @Override
  public InstantSource clock() {
    return InstantSource.system();
  }

  @Override
  public Stopping stopping() {
    return Stopping.never();
  }

  @Override
  public Executor executor() {
    return threads;
  }

  @Override
  public CaptureKind requested() {
    return CaptureKind.FULL;
  }

  @Override
  public Optional<ParentCapture> parent() {
    return Optional.empty();
  }

  @Override
  public Optional<CapturedSource> captured(SourceName earlier) {
    return Optional.empty();
  }

  @Override
  public void dependsOn(ParentCapture parent) {
    throw new IllegalStateException("there is no parent");
  }

  @Override
  public void span(CaptureSpan span) {}

  @Override
  public void version(String of, String value) {}

  @Override
  public void property(String key, String value) {}

  @Override
  public void expect(InventoryItem item) {}

  @Override
  public void captured(InventoryItem item) {}

  @Override
  public void witness(String what, Digest head, long sequence) {}

  @Override
  public void finding(Finding finding) {}

  @Override
  public void progress(long bytes, long objects, long expectedBytes) {}
}
