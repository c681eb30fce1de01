package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.SourceDescription;

/**
 * What every {@link BackupSource} has to do. A subclass prepares a system that rests while a test
 * runs, says how to make a source of it, and compares what comes back.
 */
public abstract class BackupSourceContract {
  /** For subclasses. */
  protected BackupSourceContract() {}

  /** A source of a system that holds something; every call means the same system. */
  protected abstract BackupSource newSource() throws Exception;

  /**
   * The same source, of a system that is not there: another port, a missing directory. What {@link
   * BackupSource#describe} says does not depend on that.
   */
  protected abstract BackupSource newSourceOfNothing() throws Exception;

  /**
   * Restores what was captured to some other place and fails unless it equals the system.
   *
   * @param captured a full capture, or an increment with all it depends on
   */
  protected abstract void assertRestores(Captured captured) throws Exception;

  /** How the tests capture; overridden to give earlier sources of the run, or a directory. */
  protected CaptureHarness harness(BackupSource source) throws Exception {
    return CaptureHarness.of(source);
  }

  @Test
  public void it_describes_itself_without_io_and_always_alike() throws Exception {
    SourceDescription description = newSource().describe();

    assertEquals(description, newSource().describe());
    assertEquals(description, newSourceOfNothing().describe());
    assertTrue(description.kinds().contains(CaptureKind.FULL), "every source can start anew");
  }

  @Test
  public void its_checks_pass() throws Exception {
    List<CheckResult> results = harness(newSource()).checks();

    assertTrue(results.stream().noneMatch(r -> r.verdict() == Verdict.FAIL), results.toString());
    assertTrue(results.stream().anyMatch(r -> r.verdict() == Verdict.PASS), "nothing was checked");
  }

  @Test
  public void its_checks_fail_where_nothing_is() throws Exception {
    CaptureHarness harness = harness(newSourceOfNothing());
    boolean hasFailed;
    try {
      hasFailed = harness.checks().stream().anyMatch(r -> r.verdict() == Verdict.FAIL);
    } catch (IOException e) {
      hasFailed = true;
    }
    assertTrue(hasFailed, "a system that is not there was checked without a FAIL");
  }

  @Test
  public void nothing_is_never_captured_as_success() throws Exception {
    CaptureHarness harness = harness(newSourceOfNothing());

    assertThrows(IOException.class, harness::capture);
  }

  @Test
  public void what_it_captures_restores() throws Exception {
    assertRestores(capture());
  }

  @Test
  public void a_second_capture_has_the_same_artifacts_in_the_same_order() throws Exception {
    assertEquals(capture().names(), capture().names());
  }

  @Test
  public void one_source_can_be_captured_again_and_again() throws Exception {
    BackupSource source = newSource();

    List<ArtifactName> first = harness(source).capture().names();

    assertEquals(first, harness(source).capture().names());
    assertRestores(harness(source).capture());
  }

  @Test
  public void two_engines_can_capture_at_once() throws Exception {
    BackupSource source = newSource();
    List<ArtifactName> alone = harness(source).capture().names();

    Callable<List<ArtifactName>> engine = () -> harness(source).capture().names();
    List<List<ArtifactName>> both = Crowd.run(List.of(engine, engine));

    assertEquals(List.of(alone, alone), both);
  }

  @Test
  public void an_increment_restores_too() throws Exception {
    Captured full = capture();

    Captured next = harness(newSource()).parent(full).capture();

    boolean canBuildOn = newSource().describe().kinds().contains(CaptureKind.INCREMENTAL);
    assertTrue(canBuildOn || next.parent().isEmpty(), "a source that is always full has a parent");
    assertRestores(next);
  }

  @Test
  public void a_full_capture_beside_a_parent_stands_alone() throws Exception {
    Captured full = capture();

    Captured next = harness(newSource()).parent(full).requesting(CaptureKind.FULL).capture();

    assertTrue(next.parent().isEmpty());
    assertRestores(next);
  }

  @Test
  public void a_failure_of_storage_passes_through() throws Exception {
    long bytes = capture().source().header().plainBytes();
    assertTrue(bytes > 0, "the system of a contract must hold something");
    for (long offset : List.of(0L, bytes / 2, bytes - 1)) {
      CaptureHarness failing = harness(newSource()).failStorageAt(offset);

      assertThrows(BackupException.Sink.class, failing::capture, "storage fails at byte " + offset);
    }
    assertRestores(capture());
  }

  @Test
  public void stopping_ends_it_soon() throws Exception {
    long bytes = capture().source().header().plainBytes();
    for (long after : List.of(0L, 1L, bytes / 2)) {
      CaptureHarness stopped = harness(newSource()).stopAfter(after);

      assertThrows(BackupException.Stopped.class, stopped::capture, "after " + after + " bytes");
    }
    assertRestores(capture());
  }

  private Captured capture() throws Exception {
    return harness(newSource()).capture();
  }
}
