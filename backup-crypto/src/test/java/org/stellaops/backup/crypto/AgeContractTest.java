package org.stellaops.backup.crypto;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.SealedFormat;
import org.stellaops.backup.testkit.KeyPair;
import org.stellaops.backup.testkit.RecipientContract;
import org.stellaops.backup.testkit.SealedFormatContract;

/** Age keeps the contracts of formats and recipients, whoever computes. */
class AgeContractTest {
  private static final ExecutorService EXECUTOR = Executors.newFixedThreadPool(2);

  @AfterAll
  static void stopExecutor() {
    EXECUTOR.shutdownNow();
  }

  @Nested
  class WithConscrypt extends SealedFormatContract {
    @Override
    protected SealedFormat format() {
      return Age.format();
    }
  }

  @Nested
  class WithTheJdkAlone extends SealedFormatContract {
    @Override
    protected SealedFormat format() {
      return Age.withoutConscrypt();
    }
  }

  @Nested
  class InParallel extends SealedFormatContract {
    @Override
    protected SealedFormat format() {
      return Age.parallel(EXECUTOR, 2);
    }
  }

  @Nested
  class ToAKey extends RecipientContract {
    private final List<AgeIdentity> made = new ArrayList<>();

    @Override
    protected KeyPair newKeys() throws IOException {
      AgeIdentity identity = AgeIdentity.generate();
      made.add(identity);
      return new KeyPair(identity.recipient(), identity);
    }

    @AfterEach
    void closeIdentities() {
      made.forEach(AgeIdentity::close);
    }
  }

  @Nested
  class UnderAPassphrase extends RecipientContract {
    private final List<AgeIdentity> made = new ArrayList<>();

    @Override
    protected KeyPair newKeys() {
      Secret passphrase = Secret.of("passphrase " + made.size());
      AgeIdentity identity = AgeIdentity.passphrase(passphrase);
      made.add(identity);
      return new KeyPair(AgeRecipient.passphrase(passphrase, 10), identity);
    }

    @AfterEach
    void closeIdentities() {
      made.forEach(AgeIdentity::close);
    }
  }
}
