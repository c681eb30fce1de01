package org.stellaops.backup.plan;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.Sample;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.spi.Identity;

/** How deep a verification looks. */
public final class Verification {
  private final Depth depth;
  private final List<Identity> identities;
  private final List<LogHead> expected;
  private final @Nullable Duration maxAge;
  private final @Nullable Sample sample;

  private Verification(
      Depth depth,
      List<Identity> identities,
      List<LogHead> expected,
      @Nullable Duration maxAge,
      @Nullable Sample sample) {
    this.depth = depth;
    this.identities = List.copyOf(identities);
    this.expected = List.copyOf(expected);
    this.maxAge = maxAge;
    this.sample = sample;
  }

  /**
   * Names, entries, signatures, chains, the content of lists, and that what they name is there in
   * its size: reads no pack and needs no identity. Says nothing of flipped bits.
   */
  public static Verification structure() {
    return new Verification(Depth.STRUCTURE, List.of(), List.of(), null, null);
  }

  /** Also the digest of every stored byte: needs no identity. */
  public static Verification stored() {
    return new Verification(Depth.STORED, List.of(), List.of(), null, null);
  }

  /**
   * Also decrypts and decompresses everything and compares the plain digests of all artifacts. The
   * identities stay the caller's.
   */
  public static Verification full(Identity identity, Identity... more) {
    List<Identity> all = new ArrayList<>();
    all.add(identity);
    all.addAll(List.of(more));
    return new Verification(Depth.FULL, all, List.of(), null, null);
  }

  /**
   * Everything that {@link #structure} does, and of the packs, manifests, state and slices only
   * those of this part as deep as asked. A full one decrypts and decompresses the packs of the
   * part, each once; it compares no plain digest of an artifact, which takes all of its packs.
   *
   * @throws IllegalStateException for {@link #structure}, which reads none of them
   */
  public Verification sample(Sample part) {
    if (depth == Depth.STRUCTURE) {
      throw new IllegalStateException("a check of the structure reads nothing to take a part of");
    }
    return new Verification(depth, identities, expected, maxAge, part);
  }

  /**
   * Also finds out whether this head, which somebody saw and kept, is still there: on another
   * machine, in a copy, in a printed report. Else the store went backwards.
   */
  public Verification expecting(LogHead head) {
    List<LogHead> all = new ArrayList<>(expected);
    all.add(head);
    return new Verification(depth, identities, all, maxAge, sample);
  }

  /** Also finds out whether the newest entry of the snapshot's log is no older than this. */
  public Verification notOlderThan(Duration age) {
    return new Verification(depth, identities, expected, age, sample);
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
    return depth;
  }

  /** The part that it is about; empty for everything. */
  public Optional<Sample> sample() {
    return Optional.ofNullable(sample);
  }

  /** What opens the snapshot; empty unless it is a full one. */
  public List<Identity> identities() {
    return identities;
  }
}
