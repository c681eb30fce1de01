package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;

/** Each way to be broken is found by a test of the contract that is named for it. */
class BrokenFormatTest {
  @Test
  void closing_that_finishes_is_found() {
    assertFound(
        "closing_without_finishing_leaves_a_truncated_object",
        new Passing() {
          @Override
          public Sealing seal(OutputStream stored, List<? extends Recipient> to)
              throws IOException {
            return new FinishingOnClose(toy.seal(stored, to));
          }
        });
  }

  @Test
  void a_truncation_taken_for_the_end_is_found() {
    assertFound(
        "a_truncation_between_segments_is_found",
        new Passing() {
          @Override
          public InputStream open(InputStream stored, List<? extends Identity> by)
              throws IOException {
            return new Forgiving(toy.open(stored, by));
          }
        });
  }

  @Test
  void a_lost_connection_taken_for_corruption_is_found() {
    assertFound(
        "a_failure_of_the_store_is_not_taken_for_corruption",
        new Passing() {
          @Override
          public InputStream open(InputStream stored, List<? extends Identity> by)
              throws IOException {
            try {
              return toy.open(stored, by);
            } catch (BackupException e) {
              throw e;
            } catch (IOException e) {
              throw new BackupException.Corrupt(CoreFailure.MALFORMED, "header", e);
            }
          }
        });
  }

  @Test
  void a_wrong_key_taken_for_corruption_is_found() {
    assertFound(
        "another_identity_is_told_that_it_is_the_wrong_one",
        new Passing() {
          @Override
          public InputStream open(InputStream stored, List<? extends Identity> by)
              throws IOException {
            try {
              return toy.open(stored, by);
            } catch (BackupException.Crypto e) {
              throw new BackupException.Corrupt(CoreFailure.MALFORMED, "header", e);
            }
          }
        });
  }

  @Test
  void storing_plain_bytes_is_found() {
    assertFound(
        "no_plain_bytes_are_stored",
        new Passing() {
          @Override
          public Sealing seal(OutputStream stored, List<? extends Recipient> to) {
            return new Plain(stored);
          }
        });
  }

  @Test
  void one_recipient_of_several_is_found() {
    assertFound(
        "each_of_several_recipients_can_open_it",
        new Passing() {
          @Override
          public Sealing seal(OutputStream stored, List<? extends Recipient> to)
              throws IOException {
            return toy.seal(stored, to.subList(0, Math.min(1, to.size())));
          }
        });
  }

  @Test
  void a_message_that_repeats_an_identity_is_found() {
    assertFound(
        "what_is_no_identity_is_a_bad_key_and_is_not_repeated",
        new Passing() {
          @Override
          public Identity identity(Secret text) throws IOException {
            try {
              return toy.identity(text);
            } catch (BackupException.Crypto e) {
              throw new BackupException.Crypto(
                  CoreFailure.BAD_KEY, "not an identity: " + text.use(String::new), e);
            }
          }
        });
  }

  private static void assertFound(String test, SealedFormat broken) {
    Map<String, Throwable> failures = ContractRun.failures(() -> new BrokenFormatContract(broken));
    assertTrue(failures.containsKey(test), failures.toString());
  }

  /** Passes everything on; a test breaks one method of it. */
  private static class Passing implements SealedFormat {
    final ToyFormat toy = new ToyFormat();

    @Override
    public String name() {
      return toy.name();
    }

    @Override
    public Sealing seal(OutputStream stored, List<? extends Recipient> to) throws IOException {
      return toy.seal(stored, to);
    }

    @Override
    public InputStream open(InputStream stored, List<? extends Identity> by) throws IOException {
      return toy.open(stored, by);
    }

    @Override
    public SealedReader open(RangeReader stored, long storedBytes, List<? extends Identity> by)
        throws IOException {
      return toy.open(stored, storedBytes, by);
    }

    @Override
    public Secret newIdentity() {
      return toy.newIdentity();
    }

    @Override
    public Identity identity(Secret text) throws IOException {
      return toy.identity(text);
    }

    @Override
    public Recipient recipientOf(Secret identity) throws IOException {
      return toy.recipientOf(identity);
    }

    @Override
    public Recipient recipient(String text) throws IOException {
      return toy.recipient(text);
    }
  }

  private static final class FinishingOnClose extends SealedFormat.Sealing {
    private final SealedFormat.Sealing inner;

    FinishingOnClose(SealedFormat.Sealing inner) {
      this.inner = inner;
    }

    @Override
    public void write(int b) throws IOException {
      inner.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      inner.write(bytes, offset, length);
    }

    @Override
    public void finish() throws IOException {
      inner.finish();
    }

    @Override
    public void close() {
      try {
        inner.finish();
      } catch (IOException | IllegalStateException e) {
        inner.close();
      }
    }
  }

  private static final class Forgiving extends FilterInputStream {
    Forgiving(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      try {
        return super.read(buffer, offset, length);
      } catch (BackupException.Corrupt e) {
        return -1;
      }
    }
  }

  private static final class Plain extends SealedFormat.Sealing {
    private final OutputStream stored;

    Plain(OutputStream stored) {
      this.stored = stored;
    }

    @Override
    public void write(int b) throws IOException {
      stored.write(b);
    }

    @Override
    public void finish() {}

    @Override
    public void close() {}
  }
}
