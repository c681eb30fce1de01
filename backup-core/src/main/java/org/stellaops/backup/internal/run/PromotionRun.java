package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Promotion;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.plan.PromotionPlan;
import org.stellaops.backup.plan.PromotionRequest;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Makes a copy the primary when that is lost. First one file is created, which is the promotion;
 * then it is written down in the log {@code admin}. Whenever it is interrupted, it can be done
 * again.
 */
public final class PromotionRun {
  private static final String KIND = "promotion";
  private static final String OF = "of";

  /** More than a log grows in years; of {@link Names#LAST_SLOT} a thousandth part. */
  private static final long MOST_AHEAD = 10_000_000;

  /** So that they fit into an entry, whatever else it says. */
  private static final int MOST_LOST = 1000;

  private static final List<StreamLog.Standing> NOTHING = List.of();

  private final Context context;
  private final Repository repository;
  private final Optional<WriterKeys> keys;

  /** Everything stays the caller's. */
  public PromotionRun(Context context, Repository repository, Optional<WriterKeys> keys) {
    this.context = context;
    this.repository = repository;
    this.keys = keys;
  }

  /** What it would mean; changes nothing. */
  public PromotionPlan plan(PromotionRequest request) throws IOException {
    requireAdministrator();
    requirePromotable();
    Repository now = repository.reopened();
    SnapshotList list = SnapshotList.read(now);
    Survey survey = new Survey(now, list, Streams.now(now).all());
    Promotion begun = now.promotion().orElse(null);
    if (begun == null) {
      survey.known(request);
    } else {
      survey.begun(begun);
    }
    return new PromotionPlan(
        request,
        now.id(),
        now.label(),
        list.believed().stream().map(SnapshotList.Known::summary).toList(),
        begun == null ? List.copyOf(survey.heads.values()) : begun.heads(),
        List.copyOf(survey.lost));
  }

  /** What is here, and what is known to have been elsewhere. */
  private static final class Survey {
    private final Repository repository;
    private final SnapshotList list;
    private final List<StreamLog> streams;
    private final Set<Finding> lost = new LinkedHashSet<>();
    private final Map<String, LogHead> heads = new TreeMap<>();
    private final Map<String, LogHead> held;
    private final Map<String, Map<Long, Digest>> here = new TreeMap<>();

    Survey(Repository repository, SnapshotList list, List<StreamLog> streams) {
      this.repository = repository;
      this.list = list;
      this.streams = streams;
      for (LogView log : list.logs()) {
        Map<Long, Digest> entries = new TreeMap<>();
        log.entries().forEach(s -> entries.put(s.entry().sequence(), s.entry().digest()));
        hold(log.log(), log.damage(), log.head(), entries);
      }
      for (StreamLog log : streams) {
        Map<Long, Digest> entries = new TreeMap<>();
        log.entries().forEach(s -> entries.put(s.place().sequence(), s.place().digest()));
        hold(log.log(), log.damage(), log.head(), entries);
      }
      this.held = Map.copyOf(heads);
    }

    private void hold(
        String log, List<Finding> damage, Optional<Head> head, Map<Long, Digest> entries) {
      lost.addAll(damage);
      here.put(log, entries);
      head.ifPresent(h -> heads.put(log, new LogHead(log, h.sequence(), h.digest())));
    }

    /** What this machine saw, what the caller knows, and what entries say of other logs. */
    void known(PromotionRequest request) throws IOException {
      Set<LogHead> known = new LinkedHashSet<>(request.expected());
      for (String log : repository.rememberedLogs()) {
        repository
            .remembered(log)
            .ifPresent(h -> known.add(new LogHead(log, h.sequence(), h.digest())));
      }
      known.forEach(this::know);
      Map<String, LogHead> sure = Map.copyOf(heads);
      claims()
          .forEach(
              (claim, by) -> {
                if (isPlausible(claim, sure.get(claim.log()))) {
                  know(claim);
                } else if (!known.contains(claim)) {
                  lost.add(doubted(claim, by));
                }
              });
    }

    private void know(LogHead known) {
      Digest there = here.getOrDefault(known.log(), Map.of()).get(known.sequence());
      if (there == null ? isNewer(known, held.get(known.log())) : !there.equals(known.entry())) {
        lost.add(missing(known));
      }
      heads.merge(known.log(), known, (a, b) -> a.sequence() >= b.sequence() ? a : b);
    }

    /** What the file names that is there already, as far as it is not here. */
    void begun(Promotion begun) throws IOException {
      for (LogHead head : begun.heads()) {
        if (!repository.stands(head)) {
          lost.add(missing(head));
        }
      }
    }

    /** What trusted entries say of other logs, each with the name of one that says so. */
    private Map<LogHead, String> claims() throws IOException {
      Map<LogHead, String> claims = new LinkedHashMap<>();
      Disbelief disbelief = Disbelief.of(list.logs());
      for (LogView log : list.logs()) {
        for (LogView.Standing standing : log.entries()) {
          if (standing.isTrusted() && disbelief.isBelieved(standing.entry())) {
            hear(standing.entry(), claims);
          }
        }
      }
      for (StreamLog log : streams) {
        for (StreamLog.Standing standing : log.isTrusted() ? log.entries() : NOTHING) {
          repository
              .entry(log.log(), standing.place())
              .filter(disbelief::isBelieved)
              .ifPresent(e -> hear(e, claims));
        }
      }
      // Nobody says of streams how far they are, and of made up logs whoever wants to.
      claims.keySet().removeIf(c -> Names.isStream(c.log()) || !repository.knows(c.log()));
      return claims;
    }

    private static void hear(Entry entry, Map<LogHead, String> claims) {
      HeadWitnesses.claims(entry).forEach(c -> claims.putIfAbsent(c, entry.objectName()));
      entry
          .seen()
          .map(h -> new LogHead(Names.RETENTION, h.sequence(), h.digest()))
          .ifPresent(c -> claims.putIfAbsent(c, entry.objectName()));
    }
  }

  /** Below the newest that it holds a copy lacks whatever is no snapshot, as it should. */
  private static boolean isNewer(LogHead known, @Nullable LogHead held) {
    return held == null || known.sequence() > held.sequence();
  }

  /** A writer that was taken over could else use up the slots of logs in which others speak. */
  private static boolean isPlausible(LogHead claim, @Nullable LogHead sure) {
    long from = sure == null ? 0 : sure.sequence();
    return claim.sequence() <= from + MOST_AHEAD && claim.sequence() < Names.LAST_SLOT;
  }

  private static Finding missing(LogHead known) {
    return new Finding(
        CoreFailure.WENT_BACKWARDS,
        StoreAccess.entry(known.log(), known.sequence()).value(),
        "was seen with digest %s and is not in this copy".formatted(known.entry()));
  }

  private static Finding doubted(LogHead claim, String by) {
    return new Finding(
        CoreFailure.WENT_BACKWARDS,
        StoreAccess.entry(claim.log(), claim.sequence()).value(),
        "was seen with digest %s, says %s, which is too far ahead to be believed, and the log does not go on behind it; hint: was that writer taken over? If it is known from elsewhere, name it as expected"
            .formatted(claim.entry(), by));
  }

  private void requirePromotable() throws IOException {
    StoreRole role = repository.role();
    boolean isRecorded = repository.promotion().isPresent() && isRecorded(repository);
    if (isRecorded || (role != StoreRole.COPY && repository.promotion().isEmpty())) {
      throw new BackupException.Refused(
          CoreFailure.PROMOTION_REFUSED,
          "this store is %s %s of repository %s, and only a copy is promoted"
              .formatted(
                  role == StoreRole.ARCHIVE ? "an" : "a",
                  role.name().toLowerCase(Locale.ROOT),
                  repository.id()));
    }
  }

  private WriterKeys requireAdministrator() throws IOException {
    WriterKeys signer =
        keys.orElseThrow(
            () ->
                new BackupException.Refused(
                    CoreFailure.KEY_UNAVAILABLE,
                    "nothing is promoted without a key that signs; hint: open with signedBy(...)"));
    if (!repository.isPinned() || !repository.isAdministrator(signer.id().publicKey())) {
      throw new BackupException.Refused(
          CoreFailure.PROMOTION_REFUSED,
          "key of %s is not pinned for the log %s".formatted(signer.id().name(), Names.ADMIN));
    }
    return signer;
  }

  /** Promotes exactly what was shown. */
  public void promote(PromotionPlan shown, Confirmation consent) throws IOException {
    WriterKeys signer = requireAdministrator();
    PromotionPlan plan = plan(shown.request());
    if (!consent.of().equals(shown.digest()) || !plan.digest().equals(shown.digest())) {
      throw new BackupException.Refused(
          CoreFailure.PLAN_STALE,
          "consent is to %s, now it would be %s".formatted(consent.of(), plan.digest()));
    }
    if (!plan.isPossible()) {
      throw new BackupException.Refused(
          CoreFailure.PROMOTION_LOSES,
          "the copy lacks what the former primary had: %s".formatted(plan.lost()));
    }
    Promotion promotion = new Promotion(repository.id(), plan.heads());
    repository.promote(promotion);
    record(repository.reopened(), promotion, plan, signer);
  }

  private static String mark(Promotion promotion) {
    return Digest.ofContent(promotion.bytes()).hex();
  }

  private static boolean isRecorded(LogView admin, Promotion promotion) {
    return admin.entries().stream()
        .map(LogView.Standing::entry)
        .filter(e -> e.kind().equals(KIND))
        .anyMatch(e -> e.field(OF).filter(mark(promotion)::equals).isPresent());
  }

  private static boolean isRecorded(Repository repository) throws IOException {
    return isRecorded(repository.log(Names.ADMIN), repository.promotion().orElseThrow());
  }

  /** For everybody who reads the logs, in whatever copy. */
  private void record(
      Repository primary, Promotion promotion, PromotionPlan plan, WriterKeys signer)
      throws IOException {
    Entry.Draft draft =
        new Entry.Draft(KIND).field(OF, mark(promotion)).field("label", plan.label());
    plan.request().reason().ifPresent(why -> draft.field("reason", why));
    plan.heads().forEach(h -> draft.field("behind", h.toString()));
    plan.lost().stream()
        .map(Finding::subject)
        .filter(s -> s.matches("[ -~]{1,200}"))
        .limit(MOST_LOST)
        .forEach(s -> draft.field("lost", s));
    primary.commit(
        Names.ADMIN,
        signer,
        context.random(),
        now -> isRecorded(now, promotion) ? Optional.empty() : Optional.of(draft));
  }
}
