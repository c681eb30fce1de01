package org.stellaops.backup.plan;

import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.spi.ObjectLocation;

/** What a repair looks for, and where it may take sound objects from. Immutable. */
public final class RepairRequest {
  private final Verification depth;
  private final List<ObjectLocation> copies;

  private RepairRequest(Verification depth, List<ObjectLocation> copies) {
    this.depth = depth;
    this.copies = List.copyOf(copies);
  }

  /**
   * Of what a verification of this depth finds: with {@link Verification#structure} only what is
   * missing or has another size.
   */
  public static RepairRequest of(Verification depth) {
    return new RepairRequest(depth, List.of());
  }

  /**
   * Also takes objects from there: a copy of the repository, a replica, a bundle that was unpacked.
   * Nothing there is believed: an object counts if it has the digest that was signed. Those named
   * first are asked first.
   */
  public RepairRequest from(ObjectLocation copy) {
    List<ObjectLocation> all = new ArrayList<>(copies);
    all.add(copy);
    return new RepairRequest(depth, all);
  }

  /** How deep it looks. */
  public Verification depth() {
    return depth;
  }

  /** Where objects may be taken from, in this order. */
  public List<ObjectLocation> copies() {
    return copies;
  }
}
