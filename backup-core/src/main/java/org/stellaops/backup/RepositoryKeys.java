package org.stellaops.backup;

import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.internal.run.Administration;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.EpochHeader;
import org.stellaops.backup.model.Principal;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;

/**
 * Who can read a repository and who may write to it, and how that changes. Reading needs no key.
 * Changing needs one that signs, an administrator's as a rule: an engine has its writer's, and a
 * repository that {@link BackupRepository.Access#signedBy} gave. Every change can be called again
 * after it failed or was killed. From any thread.
 */
public final class RepositoryKeys {
  private final BackupRepository repository;
  private final Administration administration;

  RepositoryKeys(BackupRepository repository, Administration administration) {
    this.repository = repository;
    this.administration = administration;
  }

  /** Every epoch and who can open it, oldest first. */
  public List<EpochHeader> epochs() throws BackupException {
    return repository.stoppable("list epochs", stop -> administration.epochs());
  }

  /**
   * Begins an epoch, also where there is one for these recipients. A plan whose recipients are
   * exactly these uses it from its next backup on, which stores everything anew. What was backed up
   * before stays as readable as it was, for whom it was.
   *
   * @throws BackupException.Crypto BAD_KEY if the recipients do not mix
   */
  public EpochHeader newEpoch(Recipient first, Recipient... more) throws BackupException {
    List<Recipient> all = joined(first, more);
    return repository.stoppable("begin an epoch", stop -> administration.begin(all));
  }

  /**
   * Begins an epoch for everybody whom the newest one is for, but for one: to be taken out of the
   * plan, too. It takes nothing back: whoever could read what was backed up still can. Where the
   * newest one already is for all that an earlier one was for but this one, it stays.
   *
   * @param recipient as {@link EpochHeader#readers} has it
   * @throws BackupException.Refused LAST_RECIPIENT if nobody would be left; NOT_FOUND if the newest
   *     one is not for it, and no earlier one for the same and it; or BLOCKED if a passphrase would
   *     stay, which only who knows it can seal for
   */
  public EpochHeader newEpochWithout(String recipient) throws BackupException {
    return repository.stoppable("begin an epoch", stop -> administration.beginWithout(recipient));
  }

  /**
   * Lets more recipients open an epoch, all that was backed up in it and all that will be. Stores
   * one small object; no pack and no manifest changes.
   *
   * @param by can open the epoch; stays the caller's
   * @throws BackupException.Refused NOT_FOUND
   * @throws BackupException.Crypto WRONG_KEY if {@code by} cannot open it
   */
  public EpochHeader rewrap(String epoch, Identity by, Recipient first, Recipient... more)
      throws BackupException {
    List<Recipient> all = joined(first, more);
    return repository.stoppable("rewrap", stop -> administration.rewrap(epoch, by, all));
  }

  /**
   * Lets the writer's next signing key take over from the one that signs here: in its log and those
   * of its streams, which nobody may record meanwhile. From then on only the next key is valid
   * there. Other engines of this writer are refused until they are opened again. What names chunks
   * stays, so that deduplication goes on.
   *
   * @throws BackupException.Refused BLOCKED if these keys cannot be rotated
   */
  public void rotateWriter() throws BackupException {
    repository.stoppable(
        "rotate the writer's key",
        stop -> {
          administration.rotate();
          return true;
        });
  }

  /**
   * Ends a writer whose keys are lost or in wrong hands: its log and those of its streams. Nothing
   * behind it is valid, and there is no way back.
   *
   * @param reason for whoever reads the log: printable ASCII
   * @throws BackupException.Refused NOT_FOUND; UNTRUSTED_WRITER if this key is no administrator's;
   *     BLOCKED if the writer is this key's own
   */
  public void seal(String writer, String reason) throws BackupException {
    repository.stoppable(
        "seal",
        stop -> {
          administration.seal(writer, reason);
          return true;
        });
  }

  /**
   * Ends a writer that was in wrong hands since some entry of its log. As {@link #seal(String,
   * String)}, also where it was ended before; and what it says of other logs in that entry and
   * behind it, or anywhere in the logs that all writers share, counts no more. A taken-over writer
   * can claim to have seen entries in another's log that never were; until it is disbelieved, that
   * log counts as damaged ({@link Catalog#damage} names who says so), and nothing of it is deleted.
   *
   * @param since the first entry that the intruder may have written; too early costs what the
   *     writer witnessed until then, and nothing else
   * @param reason for whoever reads the log: printable ASCII
   * @throws BackupException.Refused NOT_FOUND, also if its log has no such entry; UNTRUSTED_WRITER;
   *     BLOCKED
   */
  public void seal(String writer, long since, String reason) throws BackupException {
    repository.stoppable(
        "seal",
        stop -> {
          administration.seal(writer, since, reason);
          return true;
        });
  }

  /**
   * Who may speak where, as administrators wrote it down: for information, nobody is believed for
   * it.
   */
  public List<Principal> principals() throws BackupException {
    return repository.stoppable("list principals", stop -> administration.principals());
  }

  /** Writes down that a writer speaks in its log and those of its streams. */
  public void admit(WriterId writer) throws BackupException {
    repository.stoppable(
        "admit",
        stop -> {
          administration.admit(writer.name(), writer.publicKey());
          return true;
        });
  }

  /**
   * Writes down that a writer's key is not to be pinned any more; {@link #seal} is what stops it.
   */
  public void revoke(WriterId writer) throws BackupException {
    repository.stoppable(
        "revoke",
        stop -> {
          administration.revoke(writer.name(), writer.publicKey());
          return true;
        });
  }

  private static List<Recipient> joined(Recipient first, Recipient... more) {
    List<Recipient> all = new ArrayList<>(List.of(more));
    all.add(0, first);
    return all;
  }
}
