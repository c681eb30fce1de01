package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.Repository.Behind;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.EpochHeader;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.Principal;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.KeyRotation;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Changes who can read and who may write: one signed entry at a time, so that whatever is killed in
 * between can be called again, and a backup that runs meanwhile is whole or fails.
 */
public final class Administration {
  private static final String ROTATE = "rotate";
  private static final String SEAL = "seal";
  private static final String PRINCIPAL = "principal";
  private static final String REVOKE = "revoke";
  private static final int ATTEMPTS = 100;

  private final Context context;
  private final Repository repository;
  private final Optional<WriterKeys> keys;

  /** Everything stays the caller's. */
  public Administration(Context context, Repository repository, Optional<WriterKeys> keys) {
    this.context = context;
    this.repository = repository;
    this.keys = keys;
  }

  /** Every epoch, oldest first. */
  public List<EpochHeader> epochs() throws IOException {
    return Epochs.list(repository);
  }

  private Epochs writable() throws BackupException {
    return new Epochs(repository, signer(), context.random());
  }

  private WriterKeys signer() throws BackupException.Refused {
    return keys.orElseThrow(
        () ->
            new BackupException.Refused(
                CoreFailure.KEY_UNAVAILABLE,
                "nothing can be changed without a key that signs; hint: open with signedBy(...)"));
  }

  /** Begins an epoch. */
  public EpochHeader begin(List<Recipient> owners) throws IOException {
    return writable().begin(owners);
  }

  /** Begins an epoch for whom the newest one is, but for one; none if it is that already. */
  public EpochHeader beginWithout(String recipient) throws IOException {
    List<EpochHeader> all = epochs();
    EpochHeader newest =
        all.stream()
            .reduce((older, newer) -> newer)
            .orElseThrow(
                () -> new BackupException.Refused(CoreFailure.NOT_FOUND, "there is no epoch yet"));
    if (!newest.readers().contains(recipient)) {
      return begunWithout(recipient, newest, all);
    }
    List<String> rest = without(recipient, newest);
    if (rest.isEmpty()) {
      throw new BackupException.Refused(
          CoreFailure.LAST_RECIPIENT,
          "'%s' is the only reader of epoch %s".formatted(recipient, newest.id()));
    }
    return begin(recipients(rest));
  }

  /** The newest one, if a call before began it that was killed, or whose end nobody heard of. */
  private static EpochHeader begunWithout(
      String recipient, EpochHeader newest, List<EpochHeader> all) throws BackupException.Refused {
    Set<String> readers = Set.copyOf(newest.readers());
    boolean isBegun =
        all.stream()
            .filter(e -> e.readers().contains(recipient))
            .anyMatch(e -> readers.equals(Set.copyOf(without(recipient, e))));
    if (!isBegun) {
      throw new BackupException.Refused(
          CoreFailure.NOT_FOUND,
          "epoch %s is not for '%s', it is for %s"
              .formatted(newest.id(), recipient, newest.readers()));
    }
    return newest;
  }

  private static List<String> without(String recipient, EpochHeader epoch) {
    return epoch.readers().stream().filter(r -> !r.equals(recipient)).toList();
  }

  private List<Recipient> recipients(List<String> texts) throws IOException {
    SealedFormat format = signer().stateRecipient().format();
    List<Recipient> recipients = new ArrayList<>();
    for (String text : texts) {
      if (text.startsWith("passphrase")) {
        throw new BackupException.Refused(
            CoreFailure.BLOCKED,
            "a passphrase of the epoch cannot be sealed for without knowing it; hint: name everybody who stays with newEpoch(...)");
      }
      recipients.add(format.recipient(text));
    }
    return recipients;
  }

  /** Lets more owners open an epoch. */
  public EpochHeader rewrap(String epoch, Identity by, List<Recipient> more) throws IOException {
    return writable().rewrap(epoch, by, more);
  }

  /**
   * Lets the writer's next key take over. First in the logs of its streams, where a slot holds off
   * whoever records with the key of before; then in its own log, which is the commit.
   */
  public void rotate() throws IOException {
    WriterKeys signer = signer();
    KeyRotation rotation =
        signer
            .rotation()
            .orElseThrow(
                () ->
                    new BackupException.Refused(
                        CoreFailure.BLOCKED, "these writer keys cannot be rotated here"));
    String next = rotation.nextKey();
    String mine = signer.id().publicKey();
    String writer = signer.id().name();
    LogView own = repository.log(writer);
    if (!isRotated(own, mine, next)) {
      Map<String, Head> fences =
          fences(writer, signer, ROTATE, new Entry.Draft(ROTATE).field("next", next));
      repository.commit(
          writer,
          signer,
          context.random(),
          now -> Optional.of(ended(new Entry.Draft(ROTATE).field("next", next), fences)));
    }
    rotation.takeOver();
  }

  /**
   * Lets the next key take over where a rotation is in the log and whoever began it died before he
   * could; changes nothing else.
   */
  public void finishRotation() throws IOException {
    Optional<KeyRotation> rotation = keys.flatMap(WriterKeys::rotation);
    Optional<String> waiting =
        rotation.isPresent() ? rotation.get().waitingKey() : Optional.empty();
    if (waiting.isPresent()) {
      String mine = signer().id().publicKey();
      if (isRotated(repository.log(signer().id().name()), mine, waiting.get())) {
        rotation.get().takeOver();
      }
    }
  }

  private static boolean isRotated(LogView own, String mine, String next) {
    return own.entries().stream()
        .map(LogView.Standing::entry)
        .filter(e -> e.kind().equals(ROTATE) && e.publicKey().equals(mine))
        .anyMatch(e -> e.field("next").equals(Optional.of(next)));
  }

  /** Takes a slot in every log of the writer's streams; the last that counts of each. */
  private Map<String, Head> fences(String writer, WriterKeys signer, String kind, Entry.Draft draft)
      throws IOException {
    Map<String, Head> fences = new TreeMap<>();
    for (String log : repository.logs()) {
      if (log.startsWith(writer + ".")) {
        fences.put(log, fence(log, signer, kind, draft));
      }
    }
    return fences;
  }

  private Head fence(String log, WriterKeys signer, String kind, Entry.Draft draft)
      throws IOException {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      StreamLog view = repository.stream(log);
      boolean isThere =
          repository
              .fence(log, view.head())
              .filter(e -> e.kind().equals(kind) && e.publicKey().equals(signer.id().publicKey()))
              .isPresent();
      if (isThere) {
        return view.head().orElseThrow();
      }
      Optional<Entry> mine = repository.append(Behind.all(view), draft, signer, context.random());
      if (mine.isPresent()) {
        return new Head(mine.get().sequence(), mine.get().digest());
      }
    }
    throw taken(log);
  }

  private static BackupException taken(String log) {
    return new BackupException.Sink(
        CoreFailure.SINK_FAILED,
        BackupException.Sink.Reason.TRANSIENT,
        "log %s: others took the next slot %d times; hint: stop its writer"
            .formatted(log, ATTEMPTS));
  }

  /** Says of every other log how far it counts. */
  private Entry.Draft ended(Entry.Draft draft, Map<String, Head> streams) throws IOException {
    Map<String, Head> ends = new TreeMap<>(streams);
    for (String common : List.of(Names.ADMIN, Names.RETENTION, Names.VERIFY)) {
      repository.log(common).head().ifPresent(head -> ends.put(common, head));
    }
    ends.forEach(
        (log, head) ->
            draft.field("ends", new LogHead(log, head.sequence(), head.digest()).toString()));
    return draft;
  }

  /** Ends a writer: its log, and those of its streams. */
  public void seal(String writer, String reason) throws IOException {
    WriterKeys signer = signer();
    requireMayEnd(writer, signer);
    if (repository.log(writer).seal().isPresent()) {
      return;
    }
    Map<String, Head> fences =
        fences(writer, signer, SEAL, new Entry.Draft(SEAL).field("reason", reason));
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Whatever stands at the head: that may be what its writer is ended for.
      LogView view = repository.log(writer);
      Entry.Draft draft = ended(new Entry.Draft(SEAL).field("reason", reason), fences);
      if (repository.append(Behind.all(view), draft, signer, context.random()).isPresent()) {
        return;
      }
    }
    throw taken(writer);
  }

  /**
   * Ends a writer that was taken over. First the seal, which stops it; then the word that it is not
   * to be believed, which takes back what it claims of others.
   */
  public void seal(String writer, long since, String reason) throws IOException {
    requireMayEnd(writer, signer());
    Entry first =
        repository.log(writer).entries().stream()
            .map(LogView.Standing::entry)
            .filter(e -> e.sequence() == since)
            .findFirst()
            .orElseThrow(
                () ->
                    new BackupException.Refused(
                        CoreFailure.NOT_FOUND,
                        "log %s has no entry %d that counts".formatted(writer, since)));
    seal(writer, reason);
    repository.commit(
        Names.ADMIN,
        signer(),
        context.random(),
        now ->
            Disbelief.isSaid(now, writer, since)
                ? Optional.empty()
                : Optional.of(Disbelief.draft(first, reason)));
  }

  private void requireMayEnd(String writer, WriterKeys signer) throws IOException {
    if (writer.equals(signer.id().name())) {
      throw new BackupException.Refused(
          CoreFailure.BLOCKED, "writer %s cannot end itself; another key must".formatted(writer));
    }
    if (!repository.isAdministrator(signer.id().publicKey())) {
      throw new BackupException.Refused(
          CoreFailure.UNTRUSTED_WRITER,
          "key of %s is not pinned for the log %s, so nobody would believe its seal"
              .formatted(signer.id().name(), Names.ADMIN));
    }
    if (Names.isStream(writer) || !repository.logs().contains(writer)) {
      throw new BackupException.Refused(
          CoreFailure.NOT_FOUND, "there is no log of a writer '%s'".formatted(writer));
    }
  }

  /** Writes down that a key may speak in a log. */
  public void admit(String log, String publicKey) throws IOException {
    note(PRINCIPAL, log, publicKey);
  }

  /** Writes down that a key may speak in a log no more. */
  public void revoke(String log, String publicKey) throws IOException {
    note(REVOKE, log, publicKey);
  }

  private void note(String kind, String log, String publicKey) throws IOException {
    String words = log + " " + publicKey;
    repository.commit(
        Names.ADMIN,
        signer(),
        context.random(),
        now -> Optional.of(new Entry.Draft(kind).field(PRINCIPAL, words)));
  }

  /** Who may speak where, as trusted administrators wrote it down, oldest first. */
  public List<Principal> principals() throws IOException {
    Map<String, Principal> principals = new LinkedHashMap<>();
    for (LogView.Standing standing : repository.log(Names.ADMIN).entries()) {
      String kind = standing.entry().kind();
      boolean isNote = kind.equals(PRINCIPAL) || kind.equals(REVOKE);
      String words = standing.entry().field(PRINCIPAL).orElse("");
      int space = words.indexOf(' ');
      if (standing.isTrusted() && isNote && space > 0) {
        principals.put(
            words,
            new Principal(
                words.substring(0, space), words.substring(space + 1), kind.equals(REVOKE)));
      }
    }
    return List.copyOf(principals.values());
  }
}
