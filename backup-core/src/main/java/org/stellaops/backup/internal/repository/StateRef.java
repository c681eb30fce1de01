package org.stellaops.backup.internal.repository;

import java.util.List;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SourceName;

/** An object of the writer's own state, as an entry names it. */
public sealed interface StateRef {
  /** The object. */
  ObjectRef object();

  /** How the field {@code state} names it. */
  String text();

  /** A part of the chunk index. */
  record Index(ObjectRef object) implements StateRef {
    @Override
    public String text() {
      return "index " + object;
    }
  }

  /** What a source's newest good capture was. */
  record Capture(SourceName source, ObjectRef object) implements StateRef {
    @Override
    public String text() {
      return "capture " + source + " " + object;
    }
  }

  /** A remembered artifact of that capture. */
  record Artifact(SourceName source, ArtifactName artifact, ObjectRef object) implements StateRef {
    @Override
    public String text() {
      return "artifact " + source + " " + artifact + " " + object;
    }
  }

  /** Where an artifact of that capture was cut. */
  record Cut(SourceName source, ArtifactName artifact, ObjectRef object) implements StateRef {
    @Override
    public String text() {
      return "cuts " + source + " " + artifact + " " + object;
    }
  }

  /** Where the chunks of the reusable artifacts of that capture are. */
  record Runs(SourceName source, ObjectRef object) implements StateRef {
    @Override
    public String text() {
      return "runs " + source + " " + object;
    }
  }

  /** Whether it belongs to what is remembered of this source. */
  default boolean isOf(SourceName source) {
    boolean isCapture = this instanceof Capture capture && capture.source().equals(source);
    boolean isArtifact = this instanceof Artifact artifact && artifact.source().equals(source);
    boolean isCut = this instanceof Cut cut && cut.source().equals(source);
    boolean isRuns = this instanceof Runs runs && runs.source().equals(source);
    return isCapture || isArtifact || isCut || isRuns;
  }

  /** Reads a field {@code state}. */
  static StateRef parse(String text) throws BackupException {
    List<String> words = List.of(text.split(" ", -1));
    try {
      if (words.size() == 2 && words.get(0).equals("index")) {
        return new Index(ObjectRef.parse(words.get(1)));
      }
      if (words.size() == 3 && words.get(0).equals("capture")) {
        return new Capture(SourceName.of(words.get(1)), ObjectRef.parse(words.get(2)));
      }
      if (words.size() == 3 && words.get(0).equals("runs")) {
        return new Runs(SourceName.of(words.get(1)), ObjectRef.parse(words.get(2)));
      }
      if (words.size() == 4 && words.get(0).equals("artifact")) {
        return new Artifact(
            SourceName.of(words.get(1)),
            ArtifactName.of(words.get(2)),
            ObjectRef.parse(words.get(3)));
      }
      if (words.size() == 4 && words.get(0).equals("cuts")) {
        return new Cut(
            SourceName.of(words.get(1)),
            ArtifactName.of(words.get(2)),
            ObjectRef.parse(words.get(3)));
      }
    } catch (IllegalArgumentException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED, "field state: " + Names.printable(text), e);
    }
    throw new BackupException.Corrupt(
        CoreFailure.MALFORMED, "field state: " + Names.printable(text));
  }
}
