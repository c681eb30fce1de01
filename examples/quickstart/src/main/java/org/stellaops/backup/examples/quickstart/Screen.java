package org.stellaops.backup.examples.quickstart;

import java.util.List;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.VerificationReport;

/** What a person reads. */
final class Screen {
  private Screen() {}

  static void step(String what) {
    System.out.println();
    System.out.println(what);
  }

  static void show(List<Fingerprint> fingerprints) {
    TextTable table = new TextTable("<>");
    fingerprints.forEach(f -> table.row(f.what(), f.extent()));
    System.out.print(table);
  }

  static void show(List<Fingerprint> before, List<Fingerprint> after) {
    TextTable table = new TextTable("<>><").row("", "before", "after", "");
    for (int i = 0; i < before.size(); i++) {
      table.row(
          before.get(i).what(),
          before.get(i).shown(),
          after.get(i).shown(),
          before.get(i).equals(after.get(i)) ? "equal" : "DIFFERENT");
    }
    System.out.print(table);
  }

  static void show(BackupReport report) {
    TextTable table = new TextTable("<<<<>>>");
    table.row("source", "component", "kind", "outcome", "captured", "stored", "new");
    for (CaptureHeader capture : report.captures()) {
      table.row(
          capture.source().value(),
          capture.component().value(),
          capture.kind().value(),
          capture.outcome().name(),
          Sizes.bytes(capture.plainBytes()),
          Sizes.bytes(capture.storedBytes()),
          Sizes.bytes(capture.newBytes()));
    }
    long stored = report.captures().stream().mapToLong(CaptureHeader::storedBytes).sum();
    table.row(
        "",
        "",
        "",
        report.outcome().name(),
        Sizes.bytes(report.plainBytes()),
        Sizes.bytes(stored),
        Sizes.bytes(report.newBytes()));
    System.out.println();
    System.out.print(table);
    report.findings().forEach(finding -> System.out.println("  note: " + finding));
    System.out.printf("  snapshot %s in %s%n", report.name().value(), Sizes.time(report.took()));
  }

  static void show(VerificationReport report) {
    System.out.printf(
        "  %s: signature, chain and every stored byte (%s, %s)%n",
        report.verdict(), Sizes.count(report.objects(), "objects"), Sizes.bytes(report.bytes()));
  }
}
