package org.stellaops.backup.evidence;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Witness;
import org.stellaops.backup.spi.CaptureSession;

/** The newest anchor of the locker: {@code anchors/00000017.dsse.json}. */
final class Anchors {
  private static final String WITNESS = "anchors";
  private static final Pattern NAME = Pattern.compile("anchors/([0-9]{1,18})(\\..*)?");

  private Optional<Witness> newest = Optional.empty();

  /** An object of the capture, in any order. */
  void met(TarIndex.Line line) {
    Matcher name = NAME.matcher(line.path());
    if (name.matches()) {
      long sequence = Long.parseLong(name.group(1));
      if (newest.isEmpty() || newest.get().sequence() < sequence) {
        newest = Optional.of(new Witness(WITNESS, sequence, line.content()));
      }
    }
  }

  /** Witnesses the newest anchor, and compares it with the one of the capture before. */
  void tell(CaptureSession session) {
    newest.ifPresent(w -> session.witness(w.what(), w.head(), w.sequence()));
    session
        .parent()
        .flatMap(
            p ->
                p.captured().witnesses().stream().filter(w -> w.what().equals(WITNESS)).findFirst())
        .filter(this::isBehind)
        .ifPresent(
            w ->
                session.finding(
                    new Finding(
                        EvidenceFailure.ANCHORS_WENT_BACK,
                        WITNESS,
                        "the capture before saw %s, this one %s"
                            .formatted(text(w), newest.map(Anchors::text).orElse("none")))));
  }

  private boolean isBehind(Witness before) {
    return newest
        .map(
            now ->
                now.sequence() < before.sequence()
                    || (now.sequence() == before.sequence() && !now.head().equals(before.head())))
        .orElse(true);
  }

  private static String text(Witness witness) {
    return "%d with SHA-256 %s".formatted(witness.sequence(), witness.head());
  }
}
