package org.stellaops.backup.mongo.internal.oplog;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.bson.BsonTimestamp;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * What an entry does, or an operation within an {@code applyOps} does.
 *
 * @param ts of the entry
 * @param kind what it is
 * @param ns as it stands there: {@code db.collection} or {@code db.$cmd}; empty for some no-ops
 * @param raw the entry, or the part of it
 */
record Operation(BsonTimestamp ts, Kind kind, String ns, RawDocument raw) {
  private static final String COMMANDS = ".$cmd";

  /** What an operation is. */
  enum Kind {
    INSERT,
    UPDATE,
    DELETE,
    COMMAND,
    NOTHING
  }

  /**
   * Reads {@code op}, {@code ns} and nothing else.
   *
   * @throws OplogException if the operation is none that is known
   */
  static Operation of(RawDocument raw, BsonTimestamp ts) throws OplogException {
    String op = raw.get("op").string();
    String ns = raw.find("ns").map(RawElement::string).orElse("");
    Kind kind =
        switch (op) {
          case "i" -> Kind.INSERT;
          case "u" -> Kind.UPDATE;
          case "d" -> Kind.DELETE;
          case "c" -> Kind.COMMAND;
          // Besides no-ops what keeps the server's own containers (mongo, oplog_entry.idl).
          case "n", "ci", "cu", "cd", "km" -> Kind.NOTHING;
          default ->
              throw new OplogException(
                  MongoFailure.OPLOG_UNKNOWN_OPERATION,
                  "entry %s of the oplog, on %s: op '%s' is not known"
                      .formatted(OplogTimes.text(ts), ns, op));
        };
    return new Operation(ts, kind, ns, raw);
  }

  /** What is inserted, changed by, deleted, or commanded. */
  RawDocument o() {
    return raw.get("o").document();
  }

  /** Which document is changed. */
  Optional<RawDocument> o2() {
    return raw.find("o2").map(RawElement::document);
  }

  /** {@code _id} of the document that it is about. */
  RawElement id() {
    RawDocument named = kind == Kind.UPDATE ? o2().orElseGet(this::o) : o();
    return named.get("_id");
  }

  boolean isCommand() {
    return kind == Kind.COMMAND;
  }

  /** Name of the command; empty if it is none. */
  String command() {
    return isCommand() ? o().first().name() : "";
  }

  boolean isApplyOps() {
    return isCommand() && command().equals("applyOps");
  }

  /** What an {@code applyOps} is made of. */
  List<Operation> parts() throws OplogException {
    List<Operation> parts = new ArrayList<>();
    for (RawElement part : o().get("applyOps").document()) {
      parts.add(of(part.document(), ts));
    }
    return parts;
  }

  /** Everything before the first dot. */
  String database() {
    int dot = ns.indexOf('.');
    return dot < 0 ? ns : ns.substring(0, dot);
  }

  /** The collection: of a command the one it names. */
  Namespace namespace() {
    if (!isCommand()) {
      return parse(ns);
    }
    if (!ns.endsWith(COMMANDS)) {
      throw new IllegalArgumentException("a command on " + ns);
    }
    return new Namespace(database(), o().first().string());
  }

  /** {@code database.collection}. */
  static Namespace parse(String ns) {
    int dot = ns.indexOf('.');
    if (dot < 0) {
      throw new IllegalArgumentException("no namespace: " + ns);
    }
    return new Namespace(ns.substring(0, dot), ns.substring(dot + 1));
  }

  @Override
  public String toString() {
    return "%s on %s".formatted(isCommand() ? command() : kind.name().toLowerCase(Locale.ROOT), ns);
  }
}
