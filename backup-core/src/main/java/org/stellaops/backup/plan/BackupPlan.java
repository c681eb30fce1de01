package org.stellaops.backup.plan;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.WriterKeyring;

/**
 * What to back up, where to, and for whom: immutable and reusable. Building one does no I/O; what
 * it is given stays the caller's.
 */
public final class BackupPlan {
  private final String name;
  private final List<PlannedSource> sources;
  private final List<PlannedStream> streams;
  private final List<Recipient> recipients;
  private final WriterKeyring writer;
  private final BackupSink sink;
  private final List<BackupSink> replicas;
  private final @Nullable ReplicationPolicy replication;
  private final Trust trust;
  private final Limits limits;
  private final RunSettings runs;
  private final @Nullable RetentionRules retention;
  private final @Nullable WriterKeyring janitor;
  private final Duration grace;
  private final @Nullable StorageThreshold storage;
  private final boolean isStrict;

  private BackupPlan(
      String name,
      List<PlannedSource> sources,
      List<PlannedStream> streams,
      List<Recipient> recipients,
      WriterKeyring writer,
      BackupSink sink,
      Builder builder) {
    this.name = name;
    this.sources = List.copyOf(sources);
    this.streams = List.copyOf(streams);
    this.recipients = List.copyOf(recipients);
    this.writer = writer;
    this.sink = sink;
    this.replicas = List.copyOf(builder.replicas);
    this.replication = builder.replication;
    this.trust = builder.trust;
    this.limits = builder.limits;
    this.runs = builder.runs;
    this.retention = builder.retention;
    this.janitor = builder.janitor;
    this.grace = builder.grace;
    this.storage = builder.storage;
    this.isStrict = builder.isStrict;
  }

  /** Begins a plan of this name: {@code [A-Za-z0-9._-]{1,120}}. */
  public static Builder named(String name) {
    return new Builder(name);
  }

  /** Name of the plan. */
  public String name() {
    return name;
  }

  /** The sources in the order in which they are captured. */
  public List<PlannedSource> sources() {
    return sources;
  }

  /** The streams that can be recorded. */
  public List<PlannedStream> streams() {
    return streams;
  }

  /** Who can read what is backed up. */
  public List<Recipient> recipients() {
    return recipients;
  }

  /** Who signs. */
  public WriterKeyring writer() {
    return writer;
  }

  /** Where to. */
  public BackupSink sink() {
    return sink;
  }

  /** Where every snapshot is copied to when it is committed. */
  public List<BackupSink> replicas() {
    return replicas;
  }

  /** In how many places a snapshot has to be; empty: in the sink and every replica. */
  public Optional<ReplicationPolicy> replication() {
    return Optional.ofNullable(replication);
  }

  /** Other writers whose signatures count; the plan's own writer always does. */
  public Trust trust() {
    return trust;
  }

  /** What a run may use. */
  public Limits limits() {
    return limits;
  }

  /** How its runs live beside each other. */
  public RunSettings runs() {
    return runs;
  }

  /** What to keep; empty if nothing is ever let go. */
  public Optional<RetentionRules> retention() {
    return Optional.ofNullable(retention);
  }

  /** Who deletes; empty: whoever writes. */
  public Optional<WriterKeyring> janitor() {
    return Optional.ofNullable(janitor);
  }

  /** So long what is doomed can be taken back. */
  public Duration grace() {
    return grace;
  }

  /** How full the store may become; empty if only what finds no room is refused. */
  public Optional<StorageThreshold> storage() {
    return Optional.ofNullable(storage);
  }

  /** Whether the keys of epochs must never have been on this host. */
  public boolean takesOnlyEpochsMadeElsewhere() {
    return isStrict;
  }

  /**
   * Collects a plan; nothing is refused before {@link #build}, which then lists every problem. One
   * thread.
   */
  public static final class Builder {
    private static final int SMALLEST_BLOCK = 8 << 10;
    private static final int LARGEST_BLOCK = 2 << 20;
    private static final long SMALLEST_MEMORY = 32L << 20;
    private static final long SLOWEST = 1 << 10;
    private static final Pattern STREAM = Pattern.compile("[a-z0-9][a-z0-9_-]{0,39}");

    private final String name;
    private final List<Draft> drafts = new ArrayList<>();
    private final List<Recipient> recipients = new ArrayList<>();
    private @Nullable WriterKeyring writer;
    private @Nullable BackupSink sink;
    private final List<BackupSink> replicas = new ArrayList<>();
    private @Nullable ReplicationPolicy replication;
    private Trust trust = Trust.nobody();
    private Limits limits = Limits.defaults();
    private RunSettings runs = RunSettings.defaults();
    private @Nullable RetentionRules retention;
    private @Nullable WriterKeyring janitor;
    private Duration grace = Duration.ofDays(7);
    private @Nullable StorageThreshold storage;
    private boolean isStrict;

    private final Map<String, ContinuousSource> streams = new LinkedHashMap<>();
    private final List<String> streamsTwice = new ArrayList<>();

    private record Draft(String name, BackupSource source, SourceSettings settings) {}

    private Builder(String name) {
      this.name = name;
    }

    /** Adds a source. */
    public Builder source(String name, BackupSource source) {
      return source(name, source, settings -> {});
    }

    /** Adds a source with settings. */
    public Builder source(String name, BackupSource source, Consumer<SourceSettings> configure) {
      SourceSettings settings = new SourceSettings();
      configure.accept(settings);
      drafts.add(new Draft(name, source, settings));
      return this;
    }

    /**
     * Adds an endless history that can be recorded while it happens.
     *
     * @param name {@code [a-z0-9][a-z0-9_-]{0,39}}: it names a log
     */
    public Builder stream(String name, ContinuousSource source) {
      if (streams.putIfAbsent(name, source) != null) {
        streamsTwice.add(name);
      }
      return this;
    }

    /** Who can read what is backed up; at least one. Name an escrow recipient, too. */
    public Builder encryptTo(Recipient first, Recipient... more) {
      recipients.add(first);
      recipients.addAll(Arrays.asList(more));
      return this;
    }

    /** Who signs; opens nothing. */
    public Builder writer(WriterKeyring keys) {
      writer = keys;
      return this;
    }

    /** Where to. */
    public Builder sink(BackupSink sink) {
      this.sink = sink;
      return this;
    }

    /**
     * Where every snapshot is copied to when it is committed. A replica that fails leaves the
     * snapshot committed and the report DEGRADED, and is brought up behind the next run. What
     * retention removes from the sink is removed from replicas, too.
     */
    public Builder replica(BackupSink copy) {
      replicas.add(copy);
      return this;
    }

    /** In how many places a snapshot has to be; in the sink and every replica unless said. */
    public Builder replicate(ReplicationPolicy policy) {
      replication = policy;
      return this;
    }

    /** Other writers whose signatures count when snapshots of theirs are listed or restored. */
    public Builder trust(Trust others) {
      trust = others;
      return this;
    }

    /** What to keep; nothing is let go unless said. */
    public Builder retain(RetentionRules rules) {
      retention = rules;
      return this;
    }

    /**
     * Who deletes: signs the log of deletions. The writer's own keys unless said: then whoever
     * takes over its host can also delete.
     */
    public Builder janitor(WriterKeyring keys) {
      janitor = keys;
      return this;
    }

    /** So long what is doomed can be taken back; a week unless said. */
    public Builder grace(Duration grace) {
      this.grace = grace;
      return this;
    }

    /** How full the store may become; unless said, only what finds no room is refused. */
    public Builder storage(StorageThreshold threshold) {
      storage = threshold;
      return this;
    }

    /** What a run may use; {@link Limits#defaults()} unless said. */
    public Builder limits(Limits limits) {
      this.limits = limits;
      return this;
    }

    /** How runs live beside each other; {@link RunSettings#defaults()} unless said. */
    public Builder runs(RunSettings runs) {
      this.runs = runs;
      return this;
    }

    /**
     * Takes only epochs that another key than the writer's signed for: an administrator's, whom
     * {@link #trust} pins for the log {@code admin}. Then no private key that opens a backup is
     * ever on this host, not even for the moment in which it is made. A run without such an epoch
     * is refused.
     */
    public Builder onlyEpochsMadeElsewhere() {
      isStrict = true;
      return this;
    }

    /**
     * The plan.
     *
     * @throws PlanInvalid with every problem there is
     */
    public BackupPlan build() {
      List<String> problems = new ArrayList<>();
      checkName("plan", name, problems);
      List<PlannedSource> sources = inOrder(sources(problems), problems);
      List<PlannedStream> planned = plannedStreams(problems);
      checkRecipients(problems);
      if (isStrict && recipients.stream().anyMatch(r -> r.text().equals("passphrase"))) {
        problems.add(
            "a passphrase with onlyEpochsMadeElsewhere(): nobody else can make an epoch for it that this writer knows");
      }
      checkLimits(problems);
      checkRuns(problems);
      checkReuse(problems);
      checkStorage(problems);
      checkReplicas(problems);
      WriterKeyring keys = writer;
      BackupSink to = sink;
      if (keys == null) {
        problems.add("no writer: say writer(WriterKeyFile.at(...))");
      }
      if (to == null) {
        problems.add("no sink: say sink(DirectorySink.at(...))");
      }
      if (!problems.isEmpty() || keys == null || to == null) {
        throw new PlanInvalid(name, problems);
      }
      return new BackupPlan(name, sources, planned, recipients, keys, to, this);
    }

    private static void checkName(String what, String name, List<String> problems) {
      try {
        SnapshotName.of(name);
      } catch (IllegalArgumentException e) {
        problems.add(what + ": " + String.valueOf(e.getMessage()).replace("snapshot name", "name"));
      }
    }

    private Map<SourceName, PlannedSource> sources(List<String> problems) {
      if (drafts.isEmpty()) {
        problems.add("no source: say source(name, ...)");
      }
      Map<SourceName, PlannedSource> sources = new LinkedHashMap<>();
      Set<String> folded = new HashSet<>();
      for (Draft draft : drafts) {
        if (!folded.add(draft.name().toLowerCase(Locale.ROOT))) {
          problems.add("two sources are called '" + draft.name() + "', or differ in case only");
          continue;
        }
        int before = problems.size();
        checkName("source", draft.name(), problems);
        if (problems.size() == before) {
          SourceName source = SourceName.of(draft.name());
          sources.put(source, planned(source, draft));
        }
      }
      return sources;
    }

    private List<PlannedStream> plannedStreams(List<String> problems) {
      streamsTwice.forEach(n -> problems.add("two streams are called '" + n + "'"));
      List<PlannedStream> planned = new ArrayList<>();
      streams.forEach(
          (name, source) -> {
            if (STREAM.matcher(name).matches()) {
              planned.add(new PlannedStream(SourceName.of(name), source, source.describe()));
            } else {
              problems.add(
                  "stream '%s': 1 to 40 of a-z 0-9 _ -, and first a letter or a digit"
                      .formatted(name));
            }
          });
      return planned;
    }

    private static PlannedSource planned(SourceName name, Draft draft) {
      SourceDescription description = draft.source().describe();
      return new PlannedSource(
          name,
          draft.source(),
          description,
          draft.settings().component().orElse(description.component()),
          draft.settings().isAllowedToFail());
    }

    /** By stage, then as the plan has them, but never before what they come after. */
    private static List<PlannedSource> inOrder(
        Map<SourceName, PlannedSource> sources, List<String> problems) {
      List<PlannedSource> waiting = new ArrayList<>(sources.values());
      waiting.sort(Comparator.comparing(s -> s.description().stage()));
      Set<SourceName> placed = new LinkedHashSet<>();
      List<PlannedSource> ordered = new ArrayList<>();
      boolean isComplete = true;
      for (PlannedSource source : waiting) {
        for (SourceName after : source.description().after()) {
          if (!sources.containsKey(after)) {
            problems.add(
                "source '%s' comes after '%s', which is not in the plan"
                    .formatted(source.name(), after));
            isComplete = false;
          }
        }
      }
      if (!isComplete) {
        return List.of();
      }
      while (!waiting.isEmpty()) {
        PlannedSource next =
            waiting.stream()
                .filter(s -> placed.containsAll(s.description().after()))
                .findFirst()
                .orElse(null);
        if (next == null) {
          problems.add(
              "sources wait for each other: " + waiting.stream().map(PlannedSource::name).toList());
          return List.of();
        }
        waiting.remove(next);
        placed.add(next.name());
        ordered.add(next);
      }
      return ordered;
    }

    private void checkRecipients(List<String> problems) {
      if (recipients.isEmpty()) {
        problems.add(
            "no recipient: there are no unencrypted backups, say encryptTo(AgeRecipient.parse(...))");
        return;
      }
      Set<Set<String>> labels = new HashSet<>();
      Set<String> formats = new HashSet<>();
      Set<String> texts = new HashSet<>();
      for (Recipient recipient : recipients) {
        labels.add(recipient.labels());
        formats.add(recipient.format().name());
        if (!texts.add(recipient.text() + recipient.labels())) {
          problems.add("recipient twice: " + recipient.text());
        }
      }
      if (labels.size() > 1) {
        problems.add(
            "recipients that do not mix: a passphrase must stand alone, post-quantum ones among themselves");
      }
      if (formats.size() > 1) {
        problems.add("recipients of several formats: " + formats);
      }
    }

    private void checkRuns(List<String> problems) {
      Duration lease = runs.lease();
      if (lease.compareTo(Duration.ofSeconds(1)) < 0
          || lease.compareTo(Duration.ofDays(1)) > 0
          || !lease.equals(lease.truncatedTo(ChronoUnit.SECONDS))) {
        problems.add("lease of %s, allowed whole seconds from 1 to 1 day".formatted(lease));
      }
    }

    private void checkReplicas(List<String> problems) {
      ReplicationPolicy policy = replication;
      if (policy != null && policy.copies() > 1 + replicas.size()) {
        problems.add(
            "%s with %d replicas: say replica(...) for each other place"
                .formatted(policy, replicas.size()));
      }
      Set<BackupSink> places = new HashSet<>();
      BackupSink primary = sink;
      if (primary != null) {
        places.add(primary);
      }
      for (BackupSink replica : replicas) {
        if (!places.add(replica)) {
          problems.add("%s is named twice, as sink or replica".formatted(replica.describe()));
        }
      }
    }

    private void checkReuse(List<String> problems) {
      if (runs.reuse().isNegative()) {
        problems.add("reuse of captures of %s, at least nothing".formatted(runs.reuse()));
      }
    }

    private void checkStorage(List<String> problems) {
      if (storage == null) {
        return;
      }
      int warn = storage.warnPercent();
      int critical = storage.criticalPercent();
      if (warn < 1 || warn > critical || critical > 100) {
        problems.add(
            "storage warns at %d %% and is critical at %d %%, allowed 1 to 100 and not the other way round"
                .formatted(warn, critical));
      }
      if (storage.reserveBytes() < 0) {
        problems.add("storage reserve of %d bytes, at least 0".formatted(storage.reserveBytes()));
      }
    }

    private void checkLimits(List<String> problems) {
      if (limits.bytesPerSecond() < SLOWEST) {
        problems.add(
            "throttle of %d bytes a second, at least %d"
                .formatted(limits.bytesPerSecond(), SLOWEST));
      }
      if (limits.memoryBytes() < SMALLEST_MEMORY) {
        problems.add(
            "memory budget of %d bytes, at least %d"
                .formatted(limits.memoryBytes(), SMALLEST_MEMORY));
      }
      if (limits.parallelism() < 1 || limits.parallelism() > 64) {
        problems.add("parallelism of %d, allowed 1 to 64".formatted(limits.parallelism()));
      }
      if (limits.compressionLevel() < 1 || limits.compressionLevel() > 19) {
        problems.add("compression level %d, allowed 1 to 19".formatted(limits.compressionLevel()));
      }
      int block = limits.blockBytes();
      if (block < SMALLEST_BLOCK || block > LARGEST_BLOCK || Integer.bitCount(block) != 1) {
        problems.add(
            "blocks of %d bytes, allowed a power of two from 8 KiB to 2 MiB".formatted(block));
      }
    }
  }
}
