package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.internal.json.Json;
import org.stellaops.backup.internal.json.JsonObject;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.StoredObject;
import org.stellaops.backup.spi.WriterKeys;

/**
 * A repository in a store: who it is, and its logs. Reading needs no key; committing needs the
 * writer's. From any thread.
 */
public final class Repository {
  /** Of one epoch: one for each time that its key was sealed for somebody else, too. */
  private static final int MOST_LATER_KEYS = 256;

  private static final Logger LOG = LoggerFactory.getLogger(Repository.class);
  private static final int SMALL_BYTES = 64 << 10;
  private static final int FORMAT = 1;
  private static final String ENTRIES = "entries";
  private static final int COMMIT_ATTEMPTS = 100;
  private static final Pattern ID =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
  private static final String LOG_FOLDER = "log/";

  private static final int FIXED_BYTES = 1 << 20;

  /** Remembers nothing. */
  private record NothingSeen(ScratchFolder scratch) implements HeadMemory {
    @Override
    public Optional<Head> recall(String repository, String log) {
      return Optional.empty();
    }

    @Override
    public Set<String> logs(String repository) {
      return Set.of();
    }

    @Override
    public void remember(String repository, String log, Head head) {}
  }

  private static final String WRITTEN_ID = "{\"format\":1,\"repository\":\"";

  private final StoreAccess store;
  private final String id;
  private final SinkMarker marker;
  private final Trust trust;
  private final HeadMemory heads;
  private final InstantSource clock;
  private final EntryCache cache;
  private final SeenSignatures seen = new SeenSignatures();
  private final DoomLists doomLists;
  private volatile @Nullable RetentionLog lastRetention;
  private final Map<String, Boolean> knownBefore = new ConcurrentHashMap<>();
  private final Map<String, WriterLog> writers = new ConcurrentHashMap<>();

  private Repository(
      StoreAccess store, SinkMarker marker, Trust trust, HeadMemory heads, InstantSource clock) {
    this(store, marker, trust, heads, clock, cache(marker, heads));
  }

  /** What is remembered of entries is told by the versions of one store: the primary's. */
  private static EntryCache cache(SinkMarker marker, HeadMemory heads) {
    Optional<Path> folder =
        marker.role().isSubset()
            ? Optional.empty()
            : heads.cache(marker.repository()).map(f -> f.resolve(folder(marker)));
    return EntryCache.in(folder, marker.repository());
  }

  private static String folder(SinkMarker marker) {
    return marker
        .promotion()
        .map(p -> ENTRIES + "-" + Digest.ofContent(p.bytes()).hex().substring(0, 16))
        .orElse(ENTRIES);
  }

  private Repository(
      StoreAccess store,
      SinkMarker marker,
      Trust trust,
      HeadMemory heads,
      InstantSource clock,
      EntryCache cache) {
    this.store = store;
    this.id = marker.repository();
    this.marker = marker;
    this.trust = trust;
    this.heads = heads;
    this.clock = clock;
    this.cache = cache;
    this.doomLists = new DoomLists(store, heads.scratch());
  }

  /**
   * Opens what is there.
   *
   * @return empty if there is no repository in the store
   */
  public static Optional<Repository> open(
      StoreAccess store, Trust trust, HeadMemory heads, InstantSource clock) throws IOException {
    Optional<byte[]> identity = store.find(Names.REPOSITORY, SMALL_BYTES);
    if (identity.isEmpty()) {
      return Optional.empty();
    }
    String id = id(identity.get());
    return Optional.of(new Repository(store, marker(store, id), trust, heads, clock));
  }

  /** That there was a repository, which somebody has deleted, and whose store keeps that. */
  public static Optional<Finding> deleted(StoreAccess store) throws IOException {
    return deleted(store, Names.REPOSITORY).stream()
        .findFirst()
        .map(newest -> KeptObjects.hidden(newest, 1));
  }

  private static List<KeptVersion> deleted(StoreAccess store, ObjectName name) throws IOException {
    Optional<KeptObjects> kept = store.kept();
    List<KeptVersion> versions = kept.isPresent() ? kept.get().of(name) : List.of();
    return versions.stream().filter(v -> !v.isReplaced()).toList();
  }

  /** Brings back what a repository is found by, where it was deleted; whether there was any. */
  public static boolean undelete(StoreAccess store) throws IOException {
    boolean isAny = false;
    for (ObjectName name : List.of(Names.REPOSITORY, Names.SINK)) {
      List<KeptVersion> versions = deleted(store, name);
      if (!versions.isEmpty()) {
        // The first is written once and never changed; of the marker the newest counts.
        int which = name.equals(Names.REPOSITORY) ? versions.size() - 1 : 0;
        store.kept().orElseThrow().bringBack(versions.get(which));
        isAny = true;
      }
    }
    return isAny;
  }

  /** A marker of another repository is told by a check, and refused by whoever writes. */
  private static SinkMarker marker(StoreAccess store, String id) throws IOException {
    return SinkMarker.readable(store)
        .map(m -> new SinkMarker(id, m.written(), m.label(), m.promotion()))
        .orElse(SinkMarker.primary(id));
  }

  /** Makes a repository, or opens the one that somebody else made at the same time. */
  public static Repository create(
      StoreAccess store, Trust trust, HeadMemory heads, InstantSource clock, RandomGenerator random)
      throws IOException {
    for (ObjectName name : List.of(Names.FORMAT, Names.RECOVER)) {
      byte[] text = resource(name.value());
      store.create(name, text, Math.max(text.length, 1 << 20));
    }
    String fresh = new UUID(random.nextLong(), random.nextLong()).toString();
    byte[] mine = identityOf(fresh);
    byte[] there = store.create(Names.REPOSITORY, mine, SMALL_BYTES);
    return new Repository(store, SinkMarker.primary(id(there)), trust, heads, clock);
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = Repository.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new AssertionError("the jar holds " + name);
      }
      return in.readAllBytes();
    }
  }

  private static String id(byte[] json) throws IOException {
    String text = new String(json, StandardCharsets.ISO_8859_1);
    if (text.startsWith(WRITTEN_ID) && text.endsWith("\"}")) {
      String id = text.substring(WRITTEN_ID.length(), text.length() - 2);
      if (ID.matcher(id).matches()) {
        // As every version wrote it: opening needs no parser, which takes a tenth of a second to
        // load.
        return id;
      }
    }
    JsonObject object = Json.read(json, Names.REPOSITORY.value());
    if (object.number("format") != FORMAT) {
      throw new BackupException.Corrupt(
          CoreFailure.UNSUPPORTED_FORMAT,
          "%s says format %d, this version reads format %d"
              .formatted(Names.REPOSITORY, object.number("format"), FORMAT));
    }
    String id = object.text("repository");
    if (!ID.matcher(id).matches()) {
      throw object.malformed("repository", "a UUID");
    }
    return id;
  }

  /**
   * What another store has of this repository, read with the same trust.
   *
   * @return empty if there is nothing, or another repository
   */
  public Optional<Repository> elsewhere(StoreAccess other) throws IOException {
    return open(other, trust, heads, clock).filter(r -> r.id().equals(id));
  }

  /** Writes the marker that says which store this is, unless it is there. */
  public void markSink() throws IOException {
    requirePrimary();
    byte[] mine = marker.bytes();
    byte[] there = store.find(Names.SINK, SMALL_BYTES).orElse(null);
    if (there == null) {
      there = store.create(Names.SINK, mine, SMALL_BYTES);
    }
    if (!Json.read(there, Names.SINK.value()).text("repository").equals(id)) {
      throw new BackupException.Refused(
          CoreFailure.WRONG_REPOSITORY,
          "sink.json belongs to another repository than repository.json, " + id);
    }
  }

  /** Compares the files that are the same in every repository with those of this version. */
  public List<Finding> checkFixedFiles() throws IOException {
    List<Finding> findings = new ArrayList<>();
    for (ObjectName name : List.of(Names.FORMAT, Names.RECOVER)) {
      compare(name, resource(name.value()), findings);
    }
    compare(Names.SINK, marker.bytes(), findings);
    compare(Names.REPOSITORY, identityOf(id), findings);
    compareIds(findings);
    return findings;
  }

  /** Either of the two may be the wrong one. */
  private void compareIds(List<Finding> findings) throws IOException {
    Optional<String> other = idOfSink();
    if (other.isPresent() && !other.get().equals(id)) {
      findings.add(
          new Finding(
              CoreFailure.CORRUPT_OBJECT,
              Names.REPOSITORY.value(),
              "says repository %s, %s says %s"
                  .formatted(id, Names.SINK, Names.printable(other.get()))));
    }
  }

  private Optional<String> idOfSink() throws IOException {
    try {
      Optional<byte[]> marker = store.find(Names.SINK, SMALL_BYTES);
      return marker.isEmpty()
          ? Optional.empty()
          : Json.read(marker.get(), Names.SINK.value()).optionalText("repository");
    } catch (BackupException.Corrupt e) {
      // It is no JSON: that it differs has been said already.
      return Optional.empty();
    }
  }

  /** The files that are the same in every store of this repository, as this version writes them. */
  public StoreAccess writtenFiles() throws IOException {
    Map<ObjectName, byte[]> files = new HashMap<>();
    for (ObjectName name : List.of(Names.FORMAT, Names.RECOVER)) {
      files.put(name, resource(name.value()));
    }
    files.put(Names.REPOSITORY, identityOf(id));
    return new StoreAccess(new FixedFiles(files));
  }

  /** What such a file should be; empty if the name is none of them. */
  public static Optional<Digest> fixed(StoreAccess writtenFiles, ObjectName name)
      throws IOException {
    Optional<byte[]> file = writtenFiles.find(name, FIXED_BYTES);
    return file.map(Digest::ofContent);
  }

  /** The same repository as another store has it, of which nothing is remembered. */
  public Repository in(StoreAccess copy) throws IOException {
    return new Repository(
        copy, marker(copy, id), trust, new NothingSeen(heads.scratch()), clock, cache.unread());
  }

  private void compare(ObjectName name, byte[] expected, List<Finding> findings)
      throws IOException {
    Optional<byte[]> found;
    try {
      found = store.find(name, Math.max(SMALL_BYTES, expected.length));
    } catch (BackupException.Corrupt e) {
      findings.add(new Finding(e.code(), name.value(), e.detail()));
      return;
    }
    if (found.isEmpty()) {
      findings.add(new Finding(CoreFailure.OBJECT_NOT_FOUND, name.value(), "is missing"));
    } else if (!Arrays.equals(found.get(), expected)) {
      findings.add(
          new Finding(
              CoreFailure.CORRUPT_OBJECT, name.value(), "is not as this version writes it"));
    }
  }

  private static byte[] identityOf(String id) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("format", FORMAT);
    json.put("repository", id);
    return Json.write(json);
  }

  /** What this store is to the repository. */
  public StoreRole role() {
    return marker.role();
  }

  /** What this store is called. */
  public String label() {
    return marker.label();
  }

  /**
   * Refuses to write into a copy: slots are taken in one place only.
   *
   * @throws BackupException.Refused NOT_PRIMARY
   */
  public void requirePrimary() throws BackupException.Refused {
    if (marker.role().isSubset()) {
      throw new BackupException.Refused(
          CoreFailure.NOT_PRIMARY,
          "this store holds a %s of repository %s%s, in which nothing is committed"
              .formatted(
                  marker.role().name().toLowerCase(Locale.ROOT),
                  id,
                  marker.label().isEmpty() ? "" : ", labelled " + marker.label()));
    }
  }

  /**
   * What every copy has beside objects and entries, in the order in which it is stored: as this
   * version writes it. Nobody signs these, and one is a program: so none is taken from a store.
   */
  public Map<ObjectName, byte[]> fixedFiles() throws IOException {
    Map<ObjectName, byte[]> files = new LinkedHashMap<>();
    for (ObjectName name : List.of(Names.FORMAT, Names.RECOVER)) {
      files.put(name, resource(name.value()));
    }
    files.put(Names.REPOSITORY, identityOf(id));
    return files;
  }

  /** A UUID, chosen when the repository was made. */
  public String id() {
    return id;
  }

  /** Where what can be had again may be kept; empty without a workspace. */
  Optional<Path> cache() {
    return heads.cache(id);
  }

  /** Where goes what does not fit memory. */
  public ScratchFolder scratch() {
    return heads.scratch();
  }

  /** The store it is in. */
  public StoreAccess store() {
    return store;
  }

  /** Whether the reader has said whose signatures count. */
  public boolean isPinned() {
    return trust.pinsAnybody();
  }

  /** Whether something was remembered of this log before it was read here. */
  public boolean wasKnown(String log) {
    return knownBefore.getOrDefault(log, false);
  }

  /** Whether this key may end the logs of others. */
  public boolean isAdministrator(String publicKey) throws IOException {
    return speakers(Names.ADMIN, List.of()).isAdministrator(publicKey);
  }

  /** Names of the logs that have entries, or had some when they were last seen. */
  public List<String> logs() throws IOException {
    SortedSet<String> logs = new TreeSet<>(role().isSubset() ? Set.of() : heads.logs(id));
    logs.addAll(listed().keySet());
    return List.copyOf(logs);
  }

  /** What is in the folder of each log. */
  private Map<String, List<StoredObject>> listed() throws IOException {
    Map<String, List<StoredObject>> listed = new HashMap<>();
    for (StoredObject object : store.list(LOG_FOLDER)) {
      String name = object.name().value();
      int end = name.indexOf('/', LOG_FOLDER.length());
      String log = end < 0 ? "" : name.substring(LOG_FOLDER.length(), end);
      if (listed.containsKey(log) || Names.LOG.matcher(log).matches()) {
        listed.computeIfAbsent(log, l -> new ArrayList<>()).add(object);
      }
    }
    return listed;
  }

  /** Reads a log and compares its head with what was seen before. */
  public LogView log(String log) throws IOException {
    // First what is remembered: another thread may commit while this one reads, and remember that.
    Optional<Head> remembered = recalled(log);
    LogReader reader = new LogReader(slots(log), cache);
    List<Entry> entries = reader.parse();
    return compared(
        reader.judged(entries.isEmpty() ? pinned() : speakers(log, entries)), remembered);
  }

  /**
   * Reads every log but those of streams, and compares their heads with what was seen before. The
   * store is listed once.
   */
  public List<LogView> views() throws IOException {
    Map<String, Optional<Head>> remembered = new TreeMap<>();
    for (String log : heads.logs(id)) {
      remembered.put(log, recalled(log));
    }
    Map<String, List<StoredObject>> listed = listed();
    if (role().isSubset()) {
      remembered.keySet().retainAll(listed.keySet());
    }
    listed.keySet().forEach(log -> remembered.putIfAbsent(log, Optional.empty()));
    remembered.keySet().removeIf(Names::isStream);
    Map<String, LogReader> readers = new LinkedHashMap<>();
    Map<String, WriterLog> parsed = new HashMap<>();
    for (Map.Entry<String, Optional<Head>> log : remembered.entrySet()) {
      String name = log.getKey();
      knownBefore.putIfAbsent(name, log.getValue().isPresent() && !role().isSubset());
      LogSlots slots = slots(name);
      NavigableMap<Long, StoredObject> rows = slots.rows(listed.getOrDefault(name, List.of()));
      LogReader reader = new LogReader(slots, cache);
      readers.put(name, reader);
      parsed.put(name, writerLog(name, rows, reader.parse(rows)));
    }
    List<LogView> views = new ArrayList<>();
    for (Map.Entry<String, LogReader> reader : readers.entrySet()) {
      String name = reader.getKey();
      LogView view = reader.getValue().judged(speakers(name, parsed));
      views.add(compared(view, remembered.getOrDefault(name, Optional.empty())));
    }
    return views;
  }

  private Optional<Head> recalled(String log) throws IOException {
    Optional<Head> remembered = heads.recall(id, log);
    // That a copy is not behind is known by what it holds, not by what its primary was seen to.
    knownBefore.putIfAbsent(log, remembered.isPresent() && !role().isSubset());
    return remembered;
  }

  private LogView compared(LogView view, Optional<Head> remembered) throws IOException {
    if (remembered.isPresent() && !holds(view, remembered.get()) && !isNotHeld(view, remembered)) {
      List<Finding> damage = new ArrayList<>(view.damage());
      damage.add(wentBackwards(view.log(), remembered.get()));
      return view.with(damage, false);
    }
    if (!role().isSubset() && view.isHeadSound() && view.head().isPresent()) {
      heads.remember(id, view.log(), view.head().get());
    }
    return view;
  }

  /** A copy need not hold what was seen in the primary, also when it has become one itself. */
  private boolean isNotHeld(LogView view, Optional<Head> remembered) {
    long slot = remembered.orElseThrow().sequence();
    return mayLack(view.log(), slot) && view.at(slot).isEmpty();
  }

  private boolean mayLack(String log, long slot) {
    return role().isSubset() || promotion().filter(p -> p.isBefore(log, slot)).isPresent();
  }

  /** How this store became the primary; empty if it was made as what it is. */
  public Optional<Promotion> promotion() {
    return marker.promotion();
  }

  /** The newest entry of a log that was ever seen from here, in whatever store. */
  public Optional<Head> remembered(String log) throws IOException {
    return heads.recall(id, log);
  }

  /** Logs of which something was ever seen from here, in whatever store. */
  public Set<String> rememberedLogs() throws IOException {
    return heads.logs(id);
  }

  /** The signed entry in a slot of a log, read from the store; empty if it is another one. */
  public Optional<Entry> entry(String log, Head place) throws IOException {
    LogSlots slots = slots(log);
    return slots
        .parse(place.sequence(), slots.read(place.sequence()))
        .filter(e -> e.digest().equals(place.digest()));
  }

  /** Whether exactly this stands in its slot, whoever is believed. */
  public boolean stands(LogHead head) throws IOException {
    return Digest.ofContent(slots(head.log()).read(head.sequence())).equals(head.entry());
  }

  /** Makes this store the primary, unless it is; every repository of it is to be opened anew. */
  public void promote(Promotion promotion) throws IOException {
    if (promotion.bytes().length > Promotion.MAX_BYTES) {
      throw new BackupException.Refused(
          CoreFailure.TOO_LARGE,
          "%s would have %d bytes to name %d logs, allowed %d; hint: pin only writers whose word of other logs is to count"
              .formatted(
                  Names.PROMOTED,
                  promotion.bytes().length,
                  promotion.heads().size(),
                  Promotion.MAX_BYTES));
    }
    byte[] there = store.create(Names.PROMOTED, promotion.bytes(), Promotion.MAX_BYTES);
    if (!Arrays.equals(there, promotion.bytes())) {
      throw new BackupException.Refused(
          CoreFailure.PLAN_STALE, "somebody else promoted this store at the same time");
    }
  }

  /** The same repository, of which also is asked again what its store is. */
  public Repository reopened() throws IOException {
    return open(store, trust, heads, clock)
        .orElseThrow(
            () ->
                new BackupException.Corrupt(
                    CoreFailure.OBJECT_NOT_FOUND, Names.REPOSITORY + " is missing"));
  }

  /**
   * The same repository, of which every entry is read from the store and verified again, whatever
   * was read before.
   */
  public Repository afresh() {
    return new Repository(store, marker, trust, heads, clock, cache.unread());
  }

  private LogSlots slots(String log) {
    return new LogSlots(
        store, id, trust, log, seen, role().isSubset(), promotion().flatMap(p -> p.head(log)));
  }

  private Speakers pinned() {
    return new Speakers(trust, Map.of());
  }

  /** What the objects in these slots of a log are, and who speaks in it: they never change. */
  private record WriterLog(
      NavigableMap<Long, StoredObject> rows, List<Entry> entries, KeyHistory history) {}

  /** Who may speak, as the logs of the writers say it that are pinned, and of this one. */
  private Speakers speakers(String log, List<Entry> entries) throws IOException {
    if (!trust.pinsAnybody()) {
      return pinned();
    }
    Map<String, WriterLog> logs = new HashMap<>();
    logs.put(log, new WriterLog(new TreeMap<>(), entries, KeyHistory.of(log, entries, trust)));
    for (String name : concerned(log)) {
      if (!logs.containsKey(name)) {
        logs.put(name, writerLog(name));
      }
    }
    return speakers(log, logs);
  }

  private Speakers speakers(String log, Map<String, WriterLog> logs) {
    if (!trust.pinsAnybody()) {
      return pinned();
    }
    Map<String, KeyHistory> histories = new HashMap<>();
    for (String name : concerned(log)) {
      WriterLog known = logs.get(name);
      histories.put(name, known == null ? KeyHistory.of(name, List.of(), trust) : known.history());
    }
    Map<String, KeyHistory> sealed = new HashMap<>();
    histories.forEach(
        (name, history) ->
            sealed.put(
                name, history.sealedBy(key -> Speakers.isAdministrator(key, trust, histories))));
    return new Speakers(trust, sealed);
  }

  /** The writers whose word counts for a log. */
  private Set<String> concerned(String log) {
    Set<String> names = new TreeSet<>(trust.names());
    names.add(Names.writerOf(log));
    names.removeIf(name -> Names.isCommon(name) || Names.isStream(name));
    return names;
  }

  private WriterLog writerLog(String writer) throws IOException {
    LogSlots slots = slots(writer);
    NavigableMap<Long, StoredObject> there = slots.rows();
    WriterLog known = writers.get(writer);
    return known != null && known.rows().equals(there)
        ? known
        : writerLog(writer, there, new LogReader(slots, cache).parse(there));
  }

  private WriterLog writerLog(
      String writer, NavigableMap<Long, StoredObject> rows, List<Entry> entries) {
    WriterLog log = new WriterLog(rows, entries, KeyHistory.of(writer, entries, trust));
    if (trust.names().contains(writer)) {
      writers.put(writer, log);
    }
    return log;
  }

  /**
   * Makes sure that a key may go on in the log of a stream.
   *
   * @throws BackupException.Refused SEALED or KEY_RETIRED
   */
  public void requireTurn(StreamLog log, WriterKeys keys) throws IOException {
    Speakers speakers = speakers(log.log(), List.of());
    long next = sequenceAfter(log.head());
    String mine = keys.id().publicKey();
    Optional<CoreFailure> fenced =
        fence(log.log(), log.head()).flatMap(f -> refusal(f, mine, speakers));
    requireTurn(
        log.log(),
        mine,
        key -> fenced.isPresent() ? fenced : speakers.refusal(log.log(), next, key));
  }

  private static Optional<CoreFailure> refusal(Entry fence, String key, Speakers speakers) {
    if (fence.kind().equals(KeyHistory.SEAL) && speakers.isAdministrator(fence.publicKey())) {
      return Optional.of(CoreFailure.SEALED);
    }
    boolean isMine = fence.kind().equals(KeyHistory.ROTATE) && fence.publicKey().equals(key);
    return isMine ? Optional.of(CoreFailure.KEY_RETIRED) : Optional.empty();
  }

  /**
   * The entry that holds the newest slot of a stream's log while its writer's key changes, or since
   * it was ended: nobody whom it concerns goes on behind it.
   */
  public Optional<Entry> fence(String log, Optional<Head> head) throws IOException {
    if (head.isEmpty()) {
      return Optional.empty();
    }
    LogSlots slots = slots(log);
    long slot = head.get().sequence();
    return slots
        .parse(slot, slots.read(slot))
        .filter(e -> e.kind().equals(KeyHistory.ROTATE) || e.kind().equals(KeyHistory.SEAL));
  }

  /** Reads the log of a stream and compares it with what was seen before. */
  public StreamLog stream(String log) throws IOException {
    Optional<Head> remembered = heads.recall(id, log);
    StreamLog view = streamUpTo(log, Long.MAX_VALUE);
    if (remembered.isPresent() && !holds(view, remembered.get())) {
      List<Finding> damage = new ArrayList<>(view.damage());
      damage.add(wentBackwards(log, remembered.get()));
      return new StreamLog(log, view.entries(), damage, view.head(), false, view.isTrusted());
    }
    if (!role().isSubset() && view.isHeadSound() && view.head().isPresent()) {
      heads.remember(id, log, view.head().get());
    }
    return view;
  }

  /** The log of a stream as it was when this slot was its newest. */
  public StreamLog streamUpTo(String log, long newest) throws IOException {
    return new StreamLogReader(
            slots(log),
            speakers(log, List.of()),
            retention().slots(log),
            role() == StoreRole.ARCHIVE)
        .read(newest);
  }

  /** What was let go, as far as it can be believed. */
  public RetentionLog retention() throws IOException {
    return retention(log(Names.RETENTION));
  }

  /** The same, of a log that was read already. */
  public RetentionLog retention(LogView view) {
    RetentionLog last = lastRetention;
    if (last != null && last.isOf(view)) {
      return last;
    }
    RetentionLog now = RetentionLog.of(view, isPinned(), doomLists);
    lastRetention = now;
    return now;
  }

  /** Whether somebody is pinned for this log. */
  public boolean knows(String log) {
    return trust.knows(log);
  }

  /** Whether the reader has said that this key may sign in this log. */
  public boolean isPinned(String log, String publicKey) {
    return trust.accepts(log, publicKey);
  }

  /** The sealed keys of an epoch, as the log of a stream or the folder of keys has them. */
  public List<String> keysOf(StreamLog log, String epoch) throws IOException {
    List<String> fields =
        new ArrayList<>(log.keys().stream().filter(k -> k.startsWith(epoch + " ")).toList());
    if (fields.isEmpty() && epoch.matches("[0-9a-f]{16}")) {
      store
          .find(Names.epochKey(epoch, 1), Epochs.MAX_KEY_BYTES)
          .ifPresent(key -> fields.add(epoch + " " + Base64.getEncoder().encodeToString(key)));
    }
    return fields;
  }

  /**
   * Sealed keys of an epoch in the folder of keys, but for those that are known. Anybody can put
   * some there: of very many only the first are read.
   */
  List<String> laterKeys(String epoch, List<String> known) throws IOException {
    List<String> fields = new ArrayList<>();
    if (epoch.matches("[0-9a-f]{16}")) {
      List<StoredObject> there = new ArrayList<>(store.list(Names.epochKeys(epoch)));
      there.sort(
          Comparator.comparingInt((StoredObject key) -> key.name().value().length())
              .thenComparing(key -> key.name().value()));
      for (StoredObject object : there.subList(0, Math.min(there.size(), MOST_LATER_KEYS))) {
        if (object.lengthBytes() <= Epochs.MAX_KEY_BYTES) {
          byte[] key = store.read(object.name(), Epochs.MAX_KEY_BYTES);
          fields.add(epoch + " " + Base64.getEncoder().encodeToString(key));
        }
      }
    }
    fields.removeAll(known);
    return fields;
  }

  /** The highest number under which a key of an epoch is stored; 0 if there is none. */
  public int lastKey(String epoch) throws IOException {
    int last = 0;
    String prefix = Names.epochKeys(epoch);
    for (StoredObject object : store.list(prefix)) {
      String number = object.name().value().substring(prefix.length()).replace(".age", "");
      if (number.matches("[1-9][0-9]{0,8}")) {
        last = Math.max(last, Integer.parseInt(number));
      }
    }
    return last;
  }

  /** Whose signatures count. */
  public Trust trust() {
    return trust;
  }

  /** An entry that others have replaced may be gone; one that is there must be the one seen. */
  private boolean holds(StreamLog view, Head remembered) throws IOException {
    if (!role().isSubset() && view.head().map(Head::sequence).orElse(0L) < remembered.sequence()) {
      return false;
    }
    Optional<byte[]> there =
        store.find(Names.entry(view.log(), remembered.sequence()), Entry.MAX_BYTES);
    return there.isEmpty()
        ? mayLack(view.log(), remembered.sequence())
            || view.entries().stream().noneMatch(e -> e.place().sequence() == remembered.sequence())
                && (isReplaced(view, remembered.sequence())
                    || retention().isGone(view.log(), remembered.sequence()))
        : Digest.ofContent(there.get()).equals(remembered.digest());
  }

  private static boolean isReplaced(StreamLog view, long slot) {
    return view.entries().stream()
        .flatMap(e -> e.entry().replaced().stream())
        .anyMatch(r -> r.first() <= slot && slot <= r.last());
  }

  /** Whether a log holds what somebody saw in it; else what is wrong. */
  public Optional<Finding> missing(LogHead seenBefore) throws IOException {
    String log = seenBefore.log();
    Head head = new Head(seenBefore.sequence(), seenBefore.entry());
    boolean isThere = Names.isStream(log) ? holds(stream(log), head) : holds(log(log), head);
    return isThere ? Optional.empty() : Optional.of(wentBackwards(log, head));
  }

  private static Finding wentBackwards(String log, Head remembered) {
    return new Finding(
        CoreFailure.WENT_BACKWARDS,
        Names.entry(log, remembered.sequence()).value(),
        "was seen with digest %s, which is not there any more".formatted(remembered.digest()));
  }

  private static boolean holds(LogView view, Head remembered) {
    return view.at(remembered.sequence())
        .map(s -> s.entry().digest().equals(remembered.digest()))
        .orElse(false);
  }

  /**
   * What goes into an entry, given what the log holds now. Called again when somebody else was
   * first.
   */
  @FunctionalInterface
  public interface Drafting {
    /** The draft; empty if there is no reason to commit any more. */
    Optional<Entry.Draft> draft(LogView now) throws IOException;
  }

  /**
   * Commits: takes the next slot of the log. Everything that the entry names must be durable.
   *
   * @return the entry as it stands in the log now; empty if nothing was committed, since there was
   *     no reason any more
   */
  public Optional<Entry> commit(
      String log, WriterKeys keys, RandomGenerator random, Drafting drafting) throws IOException {
    requirePrimary();
    for (int attempt = 0; attempt < COMMIT_ATTEMPTS; attempt++) {
      LogView view = log(log);
      requireSound(view);
      requireTurn(log, keys.id().publicKey(), view.turn());
      Optional<Entry.Draft> draft = drafting.draft(view);
      if (draft.isEmpty()) {
        return Optional.empty();
      }
      RetentionLog retention = retention();
      requireParents(view, retention, draft.get());
      Optional<Entry> mine = append(Behind.all(view), retention, draft.get(), keys, random);
      if (mine.isPresent()) {
        return mine;
      }
    }
    throw new BackupException.Sink(
        CoreFailure.SINK_FAILED,
        BackupException.Sink.Reason.TRANSIENT,
        "log %s: another writer took the next slot %d times".formatted(log, COMMIT_ATTEMPTS));
  }

  private static Optional<Head> seenIn(LogView view) {
    int last = view.entries().size() - 1;
    return last < 0 ? Optional.empty() : view.entries().get(last).entry().seen();
  }

  /** A capture that was let go may not become another one's parent. */
  private static void requireParents(LogView view, RetentionLog retention, Entry.Draft draft)
      throws BackupException {
    for (Entry.Draft.Parent parent : draft.parents()) {
      for (Standing standing : view.entries()) {
        Entry entry = standing.entry();
        boolean isRetired =
            entry.field("snapshot").filter(parent.snapshot().value()::equals).isPresent()
                && !retention.retired(entry, List.of(parent.source())).isEmpty();
        if (isRetired) {
          throw new BackupException.Refused(
              CoreFailure.OBJECT_DOOMED,
              "snapshot %s, which %s builds on, was retired while the run went on"
                  .formatted(parent.snapshot(), parent.source()));
        }
      }
    }
  }

  /**
   * Where an entry is to stand.
   *
   * @param head the slot below
   * @param seen what the entry there says that its writer had read of the retention log
   */
  public record Behind(String log, Optional<Head> head, Optional<Head> seen) {
    /** At the end of a log. */
    public static Behind all(LogView view) {
      return new Behind(view.log(), view.head(), seenIn(view));
    }

    /** At the end of the log of a stream. */
    public static Behind all(StreamLog view) {
      return new Behind(view.log(), view.head(), view.seen());
    }
  }

  /**
   * Takes the slot behind another. Everything that the entry names must be durable.
   *
   * @return the entry as it stands in the log now; empty if somebody else has the slot
   * @throws BackupException.Refused OBJECT_DOOMED if it names what may go any time
   */
  public Optional<Entry> append(
      Behind behind, Entry.Draft draft, WriterKeys keys, RandomGenerator random)
      throws IOException {
    return append(behind, retention(), draft, keys, random);
  }

  private Optional<Entry> append(
      Behind behind,
      RetentionLog retention,
      Entry.Draft draft,
      WriterKeys keys,
      RandomGenerator random)
      throws IOException {
    requirePrimary();
    for (Iterable<ObjectRef> objects : draft.objects()) {
      retention.requireAlive(objects);
    }
    String read = retention.seenAfter(behind.log(), behind.seen());
    byte[] mine = signed(behind, read, draft, keys, random);
    ObjectName slot = Names.entry(behind.log(), sequenceAfter(behind.head()));
    Entry entry = Entry.parse(mine, slot.value(), seen);
    byte[] there = store.create(slot, mine, Entry.MAX_BYTES);
    if (!Arrays.equals(there, mine)) {
      return Optional.empty();
    }
    rememberCommitted(entry);
    return Optional.of(entry);
  }

  /** It is committed whether or not this succeeds, and the next reading of the log tries again. */
  private void rememberCommitted(Entry entry) {
    try {
      heads.remember(id, entry.log(), new Head(entry.sequence(), entry.digest()));
    } catch (IOException e) {
      LOG.warn("{} is committed, but the workspace does not remember it", entry, e);
    }
  }

  private static void requireSound(LogView view) throws BackupException {
    if (!view.isHeadSound()) {
      boolean isNewer =
          view.damage().stream().allMatch(f -> f.code() == CoreFailure.UNSUPPORTED_FORMAT);
      throw new BackupException.Corrupt(
          isNewer ? CoreFailure.UNSUPPORTED_FORMAT : CoreFailure.CHAIN_BROKEN,
          "log %s cannot be continued, its head is not sound: %s"
              .formatted(view.log(), view.damage()),
          view.damage());
    }
  }

  private static void requireTurn(String log, String key, LogView.Turn turn)
      throws BackupException.Refused {
    Optional<CoreFailure> refusal = turn.refusal(key);
    if (refusal.isPresent()) {
      throw new BackupException.Refused(
          refusal.get(),
          refusal.get() == CoreFailure.SEALED
              ? "log %s was ended by an administrator; hint: back up under a new writer name"
                  .formatted(log)
              : "the key of log %s gave way to another; hint: open the engine again with the newest writer keys"
                  .formatted(log));
    }
  }

  private static long sequenceAfter(Optional<Head> head) {
    return head.map(Head::sequence).orElse(0L) + 1;
  }

  private byte[] signed(
      Behind behind, String read, Entry.Draft draft, WriterKeys keys, RandomGenerator random)
      throws IOException {
    Entry.Place place =
        new Entry.Place(
            id,
            behind.log(),
            sequenceAfter(behind.head()),
            behind.head().map(Head::digest),
            "%016x%016x".formatted(random.nextLong(), random.nextLong()),
            clock.instant(),
            read,
            headsBeside(behind.log()));
    String text = draft.text(place);
    String armor = keys.sign(SshSignature.NAMESPACE, text.getBytes(StandardCharsets.US_ASCII));
    byte[] signed = Entry.Draft.signed(text, armor);
    if (signed.length > Entry.MAX_BYTES) {
      throw new BackupException.Refused(
          CoreFailure.TOO_LARGE,
          "%s entry of %d bytes, allowed %d"
              .formatted(draft.kind(), signed.length, Entry.MAX_BYTES));
    }
    return signed;
  }

  /** What was seen of the other logs, so that whoever reads this one can tell if they go back. */
  private List<String> headsBeside(String log) throws IOException {
    List<String> fields = new ArrayList<>();
    for (String other : heads.logs(id)) {
      if (!other.equals(log) && !Names.isStream(other)) {
        heads
            .recall(id, other)
            .ifPresent(h -> fields.add(new LogHead(other, h.sequence(), h.digest()).toString()));
      }
    }
    return fields;
  }
}
