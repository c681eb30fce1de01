package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.WriterKeyring;

/**
 * A repository's life behind a wire that fails: every request of it meets every fault of a {@link
 * FaultyProxy}. A wire that fails once is nobody's business. One that is broken for good leaves a
 * snapshot absent or complete; the next attempt succeeds, and after retention has passed and the
 * store was swept nothing is stored that no entry names.
 *
 * <p>The sink must be one that tries again by itself, at least three times and without long delays.
 * Of the exhaustive tests, which are tagged {@code soak}, a sample runs always.
 */
@SuppressWarnings("NullAway.Init") // JUnit calls prepare before each test
public abstract class RepositoryFaultContract {
  private static final List<ProxyFault> FAULTS =
      List.of(
          ProxyFault.reset(),
          ProxyFault.resetInBody(0),
          ProxyFault.resetInBody(1000),
          ProxyFault.lostReply(),
          ProxyFault.status(500),
          ProxyFault.status(503),
          ProxyFault.truncatedReply(0),
          ProxyFault.truncatedReply(50));

  private FaultyProxy proxy;
  private Path directory;
  private int hosts;

  /** For subclasses. */
  protected RepositoryFaultContract() {}

  /** Where the server is: {@code http://127.0.0.1:port}. */
  protected abstract URI server();

  /**
   * Called before each test, when the proxy is there: for servers that tell clients addresses of
   * their own, and have to be told which. Does nothing unless overridden.
   */
  protected void startBehind(URI proxyUri) throws Exception {}

  /**
   * The sink of an empty place of its own.
   *
   * @param address to ask instead of the server's, in the form of {@link #server}
   */
  protected abstract BackupSink newSink(URI address) throws Exception;

  /** Length of a file whose pack takes several requests to put. */
  protected abstract int fileBytes();

  /** Whoever restores. */
  protected abstract Identity identity();

  /** The same one, to encrypt to. */
  protected abstract Recipient recipient();

  /**
   * Keys of a writer.
   *
   * @param file where they are; made by the first who opens them
   */
  protected abstract WriterKeyring keys(Path file, String writer);

  /**
   * Uploads that are left unfinished in the place that {@link #newSink} gave last, as the server
   * itself says. Called after a sweep, past the proxy; none unless overridden.
   */
  protected List<String> unfinishedUploads() throws IOException {
    return List.of();
  }

  /** Puts a proxy in front of the server. */
  @BeforeEach
  public void prepare(@TempDir Path temp) throws Exception {
    directory = temp;
    proxy = FaultyProxy.before(server());
    startBehind(proxy.uri());
  }

  /** Ends the proxy. */
  @AfterEach
  public void cleanUp() throws Exception {
    proxy.close();
  }

  @Test
  public void snapshots_are_taken_verified_restored_and_pruned() throws Exception {
    BackupHost host = newHost();
    host.write(1, 500_000);
    host.backUp("first");
    host.write(2, 500_000);
    SnapshotId second = host.backUp("second");

    host.requireAllComplete();
    host.requireRestored(second);

    // What may go is settled once the writer has read that it is doomed.
    PruneReport doomed = host.prune(1);
    assertEquals(1, doomed.retired().size(), doomed.toString());
    assertTrue(doomed.doomedObjects() > 0, doomed.toString());
    host.write(3, 500_000);
    SnapshotId third = host.backUp("third");
    PruneReport report = host.prune(2);

    assertEquals(List.of(), report.problems());
    assertTrue(report.deletedObjects() > 0, report.toString());
    host.requireAllComplete();
    host.requireRestored(third);
  }

  @TestFactory
  public Stream<DynamicTest> a_wire_that_fails_once_is_nobodys_business() throws Exception {
    return sampled(1, requestsOf(this::live), this::requireUnnoticed);
  }

  @Tag("soak")
  @TestFactory
  public Stream<DynamicTest> a_wire_that_fails_once_anywhere_is_nobodys_business()
      throws Exception {
    return everywhere(requestsOf(this::live), this::requireUnnoticed);
  }

  @TestFactory
  public Stream<DynamicTest> a_wire_that_breaks_leaves_a_snapshot_absent_or_complete()
      throws Exception {
    return sampled(2, requestsOf(RepositoryFaultContract::backUpOnce), this::requireLaw);
  }

  @Tag("soak")
  @TestFactory
  public Stream<DynamicTest> a_wire_that_breaks_anywhere_leaves_a_snapshot_absent_or_complete()
      throws Exception {
    return everywhere(requestsOf(RepositoryFaultContract::backUpOnce), this::requireLaw);
  }

  @Test
  public void latency_only_takes_time() throws Exception {
    proxy.follow(ProxyPlan.on(r -> true, ProxyFault.latency(Duration.ofMillis(5))));
    live(newHost());
  }

  /** So many requests for each fault; those of all faults together lie evenly. */
  private static Stream<DynamicTest> sampled(int places, long requests, Law law) {
    long runs = (long) places * FAULTS.size();
    return IntStream.range(0, FAULTS.size())
        .mapToObj(
            i ->
                test(
                    FAULTS.get(i),
                    IntStream.range(0, places)
                        .mapToLong(place -> requests * ((long) place * FAULTS.size() + i) / runs),
                    law));
  }

  private static Stream<DynamicTest> everywhere(long requests, Law law) {
    return FAULTS.stream().map(fault -> test(fault, LongStream.range(0, requests), law));
  }

  private static DynamicTest test(ProxyFault fault, LongStream places, Law law) {
    return DynamicTest.dynamicTest(
        fault.toString(),
        () -> {
          for (long n : places.toArray()) {
            law.check(fault, n);
          }
        });
  }

  /** One request fails, of all that a host ever makes. */
  private void requireUnnoticed(ProxyFault fault, long n) throws Exception {
    BackupHost host = newHost();
    proxy.follow(ProxyPlan.at(n, fault));
    try {
      live(host);
    } catch (IOException | RuntimeException | AssertionError e) {
      throw new AssertionError(met(fault, n), e);
    }
    assertTrue(proxy.requests().size() > n, "too few requests");
    requireNothingStray(host, met(fault, n));
  }

  /** All requests of a first backup fail from one on, until that backup has ended. */
  private void requireLaw(ProxyFault fault, long n) throws Exception {
    BackupHost host = newHost();
    proxy.follow(ProxyPlan.from(n, fault));
    boolean isReported = isDone(host);
    String when = met(fault, n) + " and all that follow";

    proxy.follow(ProxyPlan.none());
    assertTrue(host.isThere("first") || !isReported, when + ": reported, and not there");
    host.requireAllComplete();
    host.requireRestored(host.backUp("second"));
    host.requireIntact();
    requireNothingStray(host, when);
  }

  private static boolean isDone(BackupHost host) throws IOException {
    try {
      backUpOnce(host);
      return true;
    } catch (BackupException e) {
      return false;
    }
  }

  private String met(ProxyFault fault, long number) {
    List<ProxiedRequest> requests = proxy.requests();
    String where =
        number < requests.size() ? requests.get((int) number).toString() : "request " + number;
    return fault + " at " + where;
  }

  private long requestsOf(Scenario scenario) throws Exception {
    proxy.follow(ProxyPlan.none());
    scenario.run(newHost());
    return proxy.requests().size();
  }

  /** What a host does, and whoever restores. */
  private void live(BackupHost host) throws IOException {
    backUpOnce(host);
    host.write(2, fileBytes());
    SnapshotId second = host.backUp("second");
    assertEquals(Set.of("first", "second"), host.names());
    host.requireAllComplete();
    host.requireIntact();
    host.requireRestored(second);
  }

  private static void backUpOnce(BackupHost host) throws IOException {
    host.backUp("first");
  }

  /** After retention, which keeps every snapshot, and a sweep. */
  private void requireNothingStray(BackupHost host, String when) throws IOException {
    proxy.follow(ProxyPlan.none());
    host.requirePruned(when);
    try (ObjectStore store = host.sink().open(StoreContext.system())) {
      var strays = store.ability(StoreAbility.Strays.class);
      if (strays.isPresent()) {
        strays.get().sweep();
        assertEquals(0, strays.get().sweep(), when);
      }
      var named = NamedObjects.of(store);
      assertEquals(Set.of(), named.missing(), when);
      assertEquals(Set.of(), named.strays(), when);
    }
    assertEquals(List.of(), unfinishedUploads(), when);
  }

  private BackupHost newHost() throws Exception {
    var host =
        new BackupHost(
            directory.resolve("host-" + hosts++),
            newSink(proxy.uri()),
            identity(),
            recipient(),
            this::keys);
    host.write(1, fileBytes());
    return host;
  }

  @FunctionalInterface
  private interface Law {
    void check(ProxyFault fault, long request) throws Exception;
  }

  @FunctionalInterface
  private interface Scenario {
    void run(BackupHost host) throws IOException;
  }
}
