package org.stellaops.backup.plan;

import java.nio.charset.StandardCharsets;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.retention.PrunePreview;

/**
 * What moving to an archive would do now.
 *
 * @param request what was asked for
 * @param drop what is let go of here, once it is in the archive
 * @param copy what is sent there
 */
public record ArchivePlan(ArchiveRequest request, PrunePreview drop, CopyPlan copy) {
  /** What consent is given to: what goes from here, and where it is to be then. */
  public Digest digest() {
    return Digest.ofContent(
        ("archive " + copy.target() + "\n" + drop.digest()).getBytes(StandardCharsets.UTF_8));
  }

  /** In words. */
  public String describe() {
    return copy.describe()
        + "then, when all of that was read there and compared:\n"
        + drop.describe();
  }
}
