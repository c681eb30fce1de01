package org.stellaops.backup.testkit;

import java.io.IOException;
import org.stellaops.backup.model.Secret;

class ToyRecipientTest extends RecipientContract {
  private final ToyFormat toy = new ToyFormat();

  @Override
  protected KeyPair newKeys() throws IOException {
    try (Secret secret = toy.newIdentity()) {
      return new KeyPair(toy.recipientOf(secret), toy.identity(secret));
    }
  }
}
