package org.stellaops.backup.model;

import java.util.ArrayList;
import java.util.List;

/**
 * What a verification measured.
 *
 * @param snapshot of which snapshot
 * @param depth how deep it looked; never more than it did
 * @param verdict what it concluded
 * @param objects how many stored objects were read
 * @param bytes how many stored bytes were read
 * @param findings each damaged or missing thing by name, and what else was noticed
 * @param freshness how new the log of the snapshot is; empty if it was not looked at
 * @param samples the part of what it needs that was looked at; empty for all of it
 */
public record VerificationReport(
    SnapshotRef snapshot,
    Depth depth,
    Verdict verdict,
    long objects,
    long bytes,
    List<Finding> findings,
    List<Freshness> freshness,
    List<Sample> samples) {
  public VerificationReport {
    findings = List.copyOf(findings);
    freshness = List.copyOf(freshness);
    samples = List.copyOf(samples);
  }

  /** Of all that a snapshot needs. */
  public VerificationReport(
      SnapshotRef snapshot,
      Depth depth,
      Verdict verdict,
      long objects,
      long bytes,
      List<Finding> findings,
      List<Freshness> freshness) {
    this(snapshot, depth, verdict, objects, bytes, findings, freshness, List.of());
  }

  /** Of something whose log was not looked at. */
  public VerificationReport(
      SnapshotRef snapshot,
      Depth depth,
      Verdict verdict,
      long objects,
      long bytes,
      List<Finding> findings) {
    this(snapshot, depth, verdict, objects, bytes, findings, List.of());
  }

  /** How deep a verification looks. */
  public enum Depth {
    /**
     * Signatures, chain, lists, and the presence and size of every object. Reads no pack; says
     * nothing about the bytes in them.
     */
    STRUCTURE,
    /**
     * Signatures, chain, and the digest of every stored byte. Needs no identity; says nothing about
     * plain bytes.
     */
    STORED,
    /** STORED, and every artifact decrypted, decompressed and compared with its plain digest. */
    FULL
  }

  /** What a verification concluded. */
  public enum Verdict {
    INTACT,
    /** Intact, but no pinned key signed it. */
    INTACT_UNAUTHENTICATED,
    DAMAGED,
    /** Could not be looked at. */
    UNKNOWN
  }

  /** The same with something more that was noticed. */
  public VerificationReport noticing(Finding finding) {
    List<Finding> more = new ArrayList<>(findings);
    more.add(finding);
    return new VerificationReport(
        snapshot, depth, verdict, objects, bytes, more, freshness, samples);
  }

  /** Whether nothing is damaged, as far as was looked. */
  public boolean isIntact() {
    return verdict == Verdict.INTACT || verdict == Verdict.INTACT_UNAUTHENTICATED;
  }
}
