package org.stellaops.backup.files;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.RestoreSession;

/** The two artifacts of a capture of files, for its restore. */
final class CapturedFiles {
  private final RestoreSession session;

  CapturedFiles(RestoreSession session) {
    this.session = session;
  }

  /** The archive. The caller closes. */
  InputStream archive() throws IOException {
    return session.open(newest(), require(FileSource.TAR).name());
  }

  long archiveBytes() throws BackupException {
    return require(FileSource.TAR).plainBytes();
  }

  /** The index, from its beginning. The caller closes. */
  TarIndex.Reader index() throws IOException {
    InputStream lines = session.open(newest(), require(FileSource.INDEX).name());
    return new TarIndex.Reader(lines, FileSource.INDEX.value());
  }

  private CapturedArtifact require(ArtifactName name) throws BackupException {
    return newest()
        .artifact(name)
        .orElseThrow(
            () ->
                new BackupException.Corrupt(
                    CoreFailure.MALFORMED, "the capture has no artifact " + name));
  }

  private CapturedSource newest() {
    List<CapturedSource> chain = session.chain();
    return chain.get(chain.size() - 1);
  }
}
