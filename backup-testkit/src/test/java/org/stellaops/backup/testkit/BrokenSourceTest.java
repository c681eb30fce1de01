package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.SourceDescription;

/** Each way to be broken is found by a test of the contract that is named for it. */
class BrokenSourceTest {
  @TempDir Path directory;

  @BeforeEach
  void write() throws IOException {
    Files.createDirectory(directory.resolve("system"));
    Files.write(directory.resolve("system/file"), SeededBytes.of(1, 1000));
  }

  @Test
  void a_source_that_is_not_broken_passes() {
    assertEquals(Map.of(), failures(Passing::new));
  }

  @Test
  void swallowing_a_failure_of_storage_is_found() {
    assertFound(
        "a_failure_of_storage_passes_through",
        toy ->
            new Passing(toy) {
              @Override
              public void capture(CaptureSession session) throws IOException {
                try {
                  inner.capture(session);
                } catch (BackupException.Sink e) {
                  session.progress(0, Long.MAX_VALUE, 0);
                }
              }
            });
  }

  @Test
  void nothing_taken_for_success_is_found() {
    assertFound(
        "nothing_is_never_captured_as_success",
        toy ->
            new Passing(toy) {
              @Override
              public void capture(CaptureSession session) throws IOException {
                try {
                  inner.capture(session);
                } catch (BackupException.Source e) {
                  session.property("found", "nothing");
                }
              }
            });
  }

  @Test
  void checking_nothing_is_found() {
    Set<String> found =
        failures(
                toy ->
                    new Passing(toy) {
                      @Override
                      public void check(Checks checks) {}
                    })
            .keySet();
    assertEquals(Set.of("its_checks_pass", "its_checks_fail_where_nothing_is"), found);
  }

  @Test
  void names_that_change_are_found() {
    var captures = new AtomicInteger();
    assertFound(
        "a_second_capture_has_the_same_artifacts_in_the_same_order",
        toy ->
            new Passing(toy) {
              @Override
              public void capture(CaptureSession session) throws IOException {
                inner.capture(session);
                session.artifact(
                    ArtifactName.of("run-" + captures.incrementAndGet()), Form.WHOLE, out -> {});
              }
            });
  }

  @Test
  void a_description_that_needs_the_system_is_found() {
    assertFound(
        "it_describes_itself_without_io_and_always_alike",
        toy ->
            new Passing(toy) {
              @Override
              public SourceDescription describe() {
                return toy.isThere()
                    ? super.describe()
                    : SourceDescription.of("toy/1", Component.CONFIG, Stage.FILES);
              }
            });
  }

  @Test
  void a_capture_that_does_not_restore_is_found() {
    assertFound(
        "what_it_captures_restores",
        toy ->
            new Passing(toy) {
              @Override
              public void capture(CaptureSession session) throws IOException {
                session.artifact(ArtifactName.of("file.file"), Form.WHOLE, out -> out.write(1));
              }
            });
  }

  private void assertFound(String test, Function<ToySource, BackupSource> breaking) {
    Map<String, Throwable> failures = failures(breaking);
    assertTrue(failures.containsKey(test), failures.toString());
  }

  private Map<String, Throwable> failures(Function<ToySource, BackupSource> breaking) {
    return ContractRun.failures(() -> new BrokenSourceContract(directory, breaking));
  }

  /** Passes everything on; a test breaks one method of it. */
  private static class Passing implements BackupSource {
    final ToySource inner;

    Passing(ToySource inner) {
      this.inner = inner;
    }

    @Override
    public SourceDescription describe() {
      return inner.describe();
    }

    @Override
    public void check(Checks checks) {
      inner.check(checks);
    }

    @Override
    public void capture(CaptureSession session) throws IOException {
      inner.capture(session);
    }
  }
}
