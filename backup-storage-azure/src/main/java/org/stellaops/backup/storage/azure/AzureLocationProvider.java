package org.stellaops.backup.storage.azure;

import java.net.URI;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.LocationProvider;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.StoreCredentials;
import org.stellaops.backup.store.LocationUri;

/** Containers by their {@code azure:} URIs; {@link AzureSink#of} tells what may stand in one. */
public final class AzureLocationProvider implements LocationProvider {
  private static final String SCHEME = "azure";

  /** For {@link java.util.ServiceLoader}. */
  public AzureLocationProvider() {}

  @Override
  public Optional<ObjectLocation> locate(URI uri, StoreCredentials credentials)
      throws BackupException {
    if (!SCHEME.equalsIgnoreCase(uri.getScheme())) {
      return Optional.empty();
    }
    LocationUri location = LocationUri.parse(uri);
    Optional<String> account =
        Optional.of(credentials.id()).filter(id -> credentials.kind() == StoreCredentials.Kind.KEY);
    return Optional.of(asked(sink(location, account), credentials, location));
  }

  /**
   * Takes everything that a URI may say.
   *
   * @param asking whose account it is where the URI does not say
   */
  static AzureSink sink(LocationUri uri, Optional<String> asking) throws BackupException.Refused {
    if (!uri.scheme().equals(SCHEME)) {
      throw uri.refused("is of no container of Azure; hint: azure://container/folder?account=name");
    }
    AzureSink sink = AzureSink.container(uri.bucket()).prefix(uri.prefix());
    Optional<URI> endpoint = uri.takeEndpoint();
    Optional<String> account = uri.take("account", "storage-account", "account-name");
    if (endpoint.isPresent() && account.isPresent()) {
      throw uri.refused("names an account and an endpoint, of which the account is a part");
    }
    if (endpoint.isPresent()) {
      sink = sink.endpoint(endpoint.get());
    } else {
      sink = sink.account(account(uri, account.or(() -> asking)));
    }
    Optional<AzureSink.Tier> tier = uri.takeOneOf(AzureSink.Tier.class, "tier", "access-tier");
    if (tier.isPresent()) {
      sink = sink.tier(tier.get());
    }
    uri.requireNoMore("account", "endpoint", "tier");
    return sink;
  }

  private static String account(LocationUri uri, Optional<String> account)
      throws BackupException.Refused {
    if (account.isEmpty()) {
      throw uri.refused("names neither an account nor an endpoint");
    }
    if (!account.get().matches("[a-z0-9]{3,24}")) {
      throw uri.refused("has no name of an account; hint: 3 to 24 small letters and digits");
    }
    return account.get();
  }

  private static AzureSink asked(AzureSink sink, StoreCredentials credentials, LocationUri uri)
      throws BackupException.Refused {
    return switch (credentials.kind()) {
      case KEY -> sink.sharedKey(credentials.id(), credentials.secret());
      case DOCUMENT -> sink.sas(credentials.secret());
      case NONE, ANONYMOUS, DEFAULT_CHAIN ->
          throw uri.unfit(
              "Azure takes a shared access signature, StoreCredentials.document(…), or an account"
                  + " and its key, .key(…); tokens by AzureSink.of(uri).token(…)");
    };
  }
}
