package org.stellaops.backup.mongo.internal.oplog;

import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * Leaves of an oplog what concerns some namespaces. Pure.
 *
 * <p>What holds transactions together stays whatever they changed: the entries of a chain and
 * {@code commitTransaction} and {@code abortTransaction}, since only the last one tells what became
 * of the first. A chain that concerns nobody stays with its operations taken out.
 */
final class EntryFilter {
  private final OplogSelection selection;

  EntryFilter(OplogSelection selection) {
    this.selection = selection;
  }

  /**
   * What of an entry is wanted: the very same bytes where everything is; empty if nothing is.
   *
   * @throws OplogException if it is a command that is not known, or a rename between what is wanted
   *     and what is not
   */
  Optional<RawDocument> apply(OplogEntry entry) throws OplogException {
    Operation operation = entry.operation();
    try {
      if (operation.isApplyOps()) {
        return applyOps(entry);
      }
      return isWanted(operation) ? Optional.of(entry.raw()) : Optional.empty();
    } catch (IllegalArgumentException e) {
      throw new OplogException(
          MongoFailure.OPLOG_MALFORMED,
          "entry %s of the oplog, on %s: %s"
              .formatted(OplogTimes.text(entry.ts()), operation.ns(), e.getMessage()));
    }
  }

  private Optional<RawDocument> applyOps(OplogEntry entry) throws OplogException {
    List<Operation> parts = entry.operation().parts();
    boolean[] wanted = new boolean[parts.size()];
    int count = 0;
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = isWantedPart(parts.get(i));
      count += wanted[i] ? 1 : 0;
    }
    if (count == wanted.length && count > 0) {
      return Optional.of(entry.raw());
    }
    return count == 0 && !isLink(entry) ? Optional.empty() : Optional.of(without(entry, wanted));
  }

  /** Whether other entries belong to the same transaction. */
  private static boolean isLink(OplogEntry entry) {
    RawDocument o = entry.operation().o();
    boolean isChained =
        entry.transaction().isPresent()
            && entry.previous().isPresent()
            && !entry.isAppliedSeparately();
    return isChained || o.isTrue("partialTxn") || o.isTrue("prepare");
  }

  /** The entry with some of its operations taken out, and nothing else changed. */
  private static RawDocument without(OplogEntry entry, boolean[] wanted) {
    DocumentBuilder copy = new DocumentBuilder(entry.raw().length());
    for (RawElement field : entry.raw()) {
      if (field.name().equals("o")) {
        int command = copy.begin(RawElement.DOCUMENT, "o");
        for (RawElement inner : field.document()) {
          if (inner.name().equals(Commands.APPLY_OPS)) {
            int array = copy.begin(RawElement.ARRAY, inner.name());
            addWanted(copy, inner.document().iterator(), wanted);
            copy.end(array);
          } else {
            copy.add(inner);
          }
        }
        copy.end(command);
      } else {
        copy.add(field);
      }
    }
    return copy.finish();
  }

  private static void addWanted(
      DocumentBuilder array, Iterator<RawElement> parts, boolean[] wanted) {
    int count = 0;
    for (int i = 0; parts.hasNext(); i++) {
      RawElement part = parts.next();
      if (wanted[i]) {
        array.add(Integer.toString(count++), part);
      }
    }
  }

  private boolean isWantedPart(Operation part) throws OplogException {
    return part.isApplyOps()
        ? part.parts().stream().anyMatch(p -> p.isApplyOps() || selection.holds(p.namespace()))
        : isWanted(part);
  }

  private boolean isWanted(Operation operation) throws OplogException {
    return switch (operation.kind()) {
      case NOTHING -> false;
      case COMMAND -> isWantedCommand(operation);
      default -> selection.holds(operation.namespace());
    };
  }

  private boolean isWantedCommand(Operation operation) throws OplogException {
    String command = operation.command();
    if (command.equals(Commands.COMMIT) || command.equals(Commands.ABORT)) {
      return true;
    }
    if (command.equals(Commands.RENAME)) {
      return isWantedRename(operation);
    }
    if (Commands.WITHOUT_EFFECT.contains(command)
        || !selection.holdsDatabase(operation.database())) {
      return false;
    }
    if (command.equals(Commands.DROP_DATABASE)) {
      return true;
    }
    if (Commands.OF_A_COLLECTION.contains(command)) {
      return selection.holds(operation.namespace());
    }
    throw unknown(operation);
  }

  static OplogException unknown(Operation operation) {
    return new OplogException(
        MongoFailure.OPLOG_UNKNOWN_OPERATION,
        "entry %s of the oplog, on %s: command '%s' is not known"
            .formatted(OplogTimes.text(operation.ts()), operation.ns(), operation.command()));
  }

  private boolean isWantedRename(Operation rename) throws OplogException {
    Namespace from = Operation.parse(rename.o().first().string());
    Namespace to = Operation.parse(rename.o().get("to").string());
    if (selection.holds(from) != selection.holds(to)) {
      throw new OplogException(
          MongoFailure.OPLOG_RENAMED_ACROSS,
          "entry %s of the oplog renames %s to %s, of which only %s is wanted"
              .formatted(
                  OplogTimes.text(rename.ts()), from, to, selection.holds(from) ? from : to));
    }
    return selection.holds(from);
  }
}
