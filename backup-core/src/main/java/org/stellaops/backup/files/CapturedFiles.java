package org.stellaops.backup.files;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.RestoreSession;

/** The sections of a capture of files, for its restore. */
final class CapturedFiles {
  private final RestoreSession session;

  CapturedFiles(RestoreSession session) {
    this.session = session;
  }

  /** An archive and its index. */
  record Section(CapturedArtifact tar, ArtifactName index) {}

  /** In the order in which they follow each other. */
  List<Section> sections() throws BackupException {
    List<Section> sections = new ArrayList<>();
    for (int number = 1; number <= count(newest()); number++) {
      sections.add(
          new Section(require(FileSource.tar(number)), require(FileSource.index(number)).name()));
    }
    return sections;
  }

  /** How many sections a capture has, at least one. */
  static int count(CapturedSource captured) {
    return Math.max(1, (captured.artifacts().size() + 1) / 2);
  }

  /** An archive. The caller closes. */
  InputStream archive(Section section) throws IOException {
    return session.open(newest(), section.tar().name());
  }

  /** The index of one archive. The caller closes. */
  TarIndex.Reader index(Section section) throws IOException {
    return new TarIndex.Reader(session.open(newest(), section.index()), section.index().value());
  }

  /** All indexes as one, from the beginning. The caller closes. */
  TarIndex.Lines index() throws IOException {
    List<Section> sections = sections();
    return new SectionLines(
        number ->
            number < sections.size() ? Optional.of(index(sections.get(number))) : Optional.empty());
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
