package org.stellaops.backup.plan;

import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.spi.Identity;

/** How deep a verification looks. */
public final class Verification {
  private final List<Identity> identities;

  private Verification(List<Identity> identities) {
    this.identities = List.copyOf(identities);
  }

  /** Signatures, chain, and the digest of every stored byte: needs no identity. */
  public static Verification stored() {
    return new Verification(List.of());
  }

  /**
   * Also decrypts and decompresses everything and compares the plain digests. The identities stay
   * the caller's.
   */
  public static Verification full(Identity identity, Identity... more) {
    List<Identity> all = new ArrayList<>();
    all.add(identity);
    all.addAll(List.of(more));
    return new Verification(all);
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
