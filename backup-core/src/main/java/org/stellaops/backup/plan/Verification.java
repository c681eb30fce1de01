package org.stellaops.backup.plan;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.spi.Identity;

/** How deep a verification looks. */
public final class Verification {
  private final List<Identity> identities;
  private final List<LogHead> expected;
  private final @Nullable Duration maxAge;

  private Verification(
      List<Identity> identities, List<LogHead> expected, @Nullable Duration maxAge) {
    this.identities = List.copyOf(identities);
    this.expected = List.copyOf(expected);
    this.maxAge = maxAge;
  }

  /** Signatures, chain, and the digest of every stored byte: needs no identity. */
  public static Verification stored() {
    return new Verification(List.of(), List.of(), null);
  }

  /**
   * Also decrypts and decompresses everything and compares the plain digests. The identities stay
   * the caller's.
   */
  public static Verification full(Identity identity, Identity... more) {
    List<Identity> all = new ArrayList<>();
    all.add(identity);
    all.addAll(List.of(more));
    return new Verification(all, List.of(), null);
  }

  /**
   * Also finds out whether this head, which somebody saw and kept, is still there: on another
   * machine, in a copy, in a printed report. Else the store went backwards.
   */
  public Verification expecting(LogHead head) {
    List<LogHead> all = new ArrayList<>(expected);
    all.add(head);
    return new Verification(identities, all, maxAge);
  }

  /** Also finds out whether the newest entry of the snapshot's log is no older than this. */
  public Verification notOlderThan(Duration age) {
    return new Verification(identities, expected, age);
  }

  /** What must still be there. */
  public List<LogHead> expectedHeads() {
    return expected;
  }

  /** How old the newest entry may be; empty if nobody said. */
  public Optional<Duration> maxAge() {
    return Optional.ofNullable(maxAge);
  }

  /** What it will have looked at. */
  public Depth depth() {
    return identities.isEmpty() ? Depth.STORED : Depth.FULL;
  }

  /** What opens the snapshot; empty for a stored one. */
  public List<Identity> identities() {
    return identities;
  }
}
