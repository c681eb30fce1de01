package org.stellaops.backup.mongo;

import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;

/**
 * How a database compares with what was captured.
 *
 * @param database that was looked at
 * @param collections everything that was captured, each with what was found in its place
 * @param extra collections that are there and were not captured
 */
public record MongoVerification(
    String database, List<ComparedCollection> collections, List<String> extra) {
  public MongoVerification {
    collections = List.copyOf(collections);
    extra = List.copyOf(extra);
  }

  /** Whether every captured collection is there with the same documents and definitions. */
  public boolean isSame() {
    return collections.stream().allMatch(c -> c.verdict() == Verdict.SAME);
  }

  /**
   * Whether nothing is known to be wrong: as {@link #isSame}, but for collections that a replay may
   * have changed.
   */
  public boolean isPlausible() {
    return collections.stream()
        .allMatch(c -> c.verdict() == Verdict.SAME || c.verdict() == Verdict.OF_BEFORE_REPLAY);
  }

  /** Everything that differs: documents and missing parts are critical, definitions a warning. */
  public List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    collections.forEach(c -> c.addTo(findings));
    return findings;
  }

  /** The numbers in one line. */
  public String summary() {
    long same = collections.stream().filter(c -> c.verdict() == Verdict.SAME).count();
    long documents = collections.stream().mapToLong(ComparedCollection::actualDocuments).sum();
    return "%d of %d collections as captured, %d documents; %d collections were not captured"
        .formatted(same, collections.size(), documents, extra.size());
  }

  /** What the comparison of one collection came to. */
  public enum Verdict {
    /** Documents and definitions are those that were captured. */
    SAME,
    /**
     * It is not as it was captured, and need not be: it was captured while it changed, and what was
     * captured is of before the replay that a restore ends with.
     */
    OF_BEFORE_REPLAY,
    /** The documents are the same, and options or indexes are not. */
    DEFINITION_DIFFERS,
    /** The documents are not the same. */
    CONTENT_DIFFERS,
    /** It is not there. */
    MISSING
  }

  /**
   * One captured collection or view.
   *
   * @param namespace {@code database.collection}, where it was looked for
   * @param expectedDocuments as captured
   * @param actualDocuments as read now
   * @param expectedContent sum modulo 2^256 of the SHA-256 of each document, as captured
   * @param actualContent the same of what was read now
   * @param indexesMissing names of captured indexes that are not there
   * @param indexesExtra names of indexes that are there and were not captured
   * @param differing options and indexes that are there in another form, in words
   * @param verdict what it comes to
   */
  public record ComparedCollection(
      String namespace,
      long expectedDocuments,
      long actualDocuments,
      Digest expectedContent,
      Digest actualContent,
      List<String> indexesMissing,
      List<String> indexesExtra,
      List<String> differing,
      Verdict verdict) {
    public ComparedCollection {
      indexesMissing = List.copyOf(indexesMissing);
      indexesExtra = List.copyOf(indexesExtra);
      differing = List.copyOf(differing);
    }

    /** The same of something that a replay may change. */
    public ComparedCollection ofBeforeReplay() {
      return verdict == Verdict.SAME
          ? this
          : new ComparedCollection(
              namespace,
              expectedDocuments,
              actualDocuments,
              expectedContent,
              actualContent,
              indexesMissing,
              indexesExtra,
              differing,
              Verdict.OF_BEFORE_REPLAY);
    }

    private void addTo(List<Finding> findings) {
      if (verdict == Verdict.OF_BEFORE_REPLAY) {
        findings.add(
            new Finding(
                MongoFailure.NOT_CHECKED,
                namespace,
                "captured with %d documents before the replay of what was written meanwhile, found %d"
                    .formatted(expectedDocuments, actualDocuments)));
        return;
      }
      if (verdict == Verdict.MISSING) {
        findings.add(new Finding(CoreFailure.CONTENT_DIFFERS, namespace, "is missing"));
      }
      if (verdict == Verdict.CONTENT_DIFFERS) {
        findings.add(
            new Finding(
                CoreFailure.CONTENT_DIFFERS,
                namespace,
                "expected %d documents, content %s; found %d documents, content %s"
                    .formatted(
                        expectedDocuments, expectedContent, actualDocuments, actualContent)));
      }
      indexesMissing.forEach(
          i ->
              findings.add(
                  new Finding(
                      CoreFailure.CONTENT_DIFFERS, namespace, "index " + i + " is missing")));
      indexesExtra.forEach(i -> addDifference(findings, "index " + i + " was not captured"));
      differing.forEach(d -> addDifference(findings, d));
    }

    private void addDifference(List<Finding> findings, String difference) {
      findings.add(new Finding(MongoFailure.DEFINITION_DIFFERS, namespace, difference));
    }
  }
}
