package org.stellaops.backup.model;

import java.time.Instant;

/**
 * How new a log is, as far as it can be told. A store can hide the newest entries and cannot prove
 * that it does not: that takes somebody who saw the log before.
 *
 * @param newest the newest entry that is there
 * @param time when the newest snapshot there was signed, by its writer's clock: a run that began
 *     and never commits makes nothing fresh. Of a log without a snapshot, when it began
 * @param evidence who saw the log before
 */
public record Freshness(LogHead newest, Instant time, Evidence evidence) {
  /** Who saw the log before; what is there is at least as new as that. */
  public enum Evidence {
    /** Nobody who was asked. */
    NONE,
    /** A trusted entry of another log in the same store: who hides both can hide it. */
    WITNESSED,
    /** This reader's workspace, or a head that was given to compare with. */
    REMEMBERED
  }

  @Override
  public String toString() {
    return "newest seen: %s, last snapshot of %s; %s"
        .formatted(
            newest,
            time,
            switch (evidence) {
              case NONE -> "freshness unproven";
              case WITNESSED -> "another log of this store knows no newer one, freshness unproven";
              case REMEMBERED -> "nothing that was seen before is missing";
            });
  }
}
