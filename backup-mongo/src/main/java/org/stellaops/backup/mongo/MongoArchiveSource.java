package org.stellaops.backup.mongo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.mongo.internal.archive.ArchiveInput;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.capture.ArchiveRegistration;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.SourceDescription;

/**
 * A file that {@code mongodump --archive} wrote, plain or with {@code --gzip}, taken into the
 * repository: verified to its last byte on the way, stored without its gzip, and restored by {@link
 * MongoTarget} as a capture of {@link MongoSource} is: one database, chosen by {@link
 * MongoTarget#only} where there are several, or all by {@link MongoTarget#instance}. An immutable
 * value; any thread.
 *
 * <p>When the file was made it does not say: the snapshot's time is that of the run, {@code
 * registered.modified} among its properties is the file's, and {@code registered.sha256} its digest
 * as it lay there. How its collections fit each other it says only where it was written with {@code
 * --oplog}: then {@code consistency} is {@link Consistency#OPLOG_FENCED}, {@code end} the place in
 * the oplog up to which that leads, and a restore replays it. Where that oplog stands before
 * documents, is empty, or is not in order, {@code consistency} is {@code UNKNOWN} and a finding
 * says why. No recorded oplog leads on from such an archive: it does not say of which replica set
 * it is.
 */
public final class MongoArchiveSource implements BackupSource {
  private static final String FILE = "check.mongo.archive";

  private final Path file;

  private MongoArchiveSource(Path file) {
    this.file = file;
  }

  /** A file that is not written to any more. */
  public static MongoArchiveSource of(Path file) {
    return new MongoArchiveSource(file.toAbsolutePath());
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(Layout.KIND, Component.DATABASE, Stage.DOCUMENTS);
  }

  /** Looks at the beginning only; {@link MongoArchive#verify} reads all of it. */
  @Override
  public void check(Checks checks) {
    try (InputStream plain = ArchiveInput.open(Files.newInputStream(file))) {
      Prelude prelude = ArchiveReader.prelude(plain);
      checks.add(
          CheckResult.pass(
              FILE,
              "%s announces %d namespaces of server %s"
                  .formatted(file, prelude.entries().size(), prelude.serverVersion())));
      checks.expect(Files.size(file));
    } catch (BackupException e) {
      checks.add(CheckResult.fail(FILE, file + ": " + e.getMessage(), e.code().remedy()));
    } catch (IOException e) {
      checks.add(CheckResult.fail(FILE, e.toString(), "name a file that can be read"));
    }
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    new ArchiveRegistration(file, session).run();
  }

  @Override
  public String toString() {
    return "MongoArchiveSource[" + file + "]";
  }
}
