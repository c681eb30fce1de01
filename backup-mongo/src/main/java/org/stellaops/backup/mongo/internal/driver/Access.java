package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.ConnectionString;
import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.connection.ClusterSettings;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.mongo.MongoFailure;

/** How we come by a client: it is lent to us, or we connect and close. A value. */
public interface Access {
  /** A client whose owner closes it. */
  static Access lent(MongoClient client) {
    return new Lent(client);
  }

  /** A client of our own for each lease; the secret is closed as soon as it is read. */
  static Access connecting(Supplier<Secret> connectionString) {
    return new Connecting(connectionString);
  }

  /** A client until the lease is closed. */
  Lease lease() throws BackupException;

  /** Where it leads, without credentials and without I/O, as far as that is known. */
  String describe();

  /** A client for a while. */
  interface Lease extends AutoCloseable {
    /** The client; not to be closed. */
    MongoClient client();

    @Override
    void close();
  }

  /** {@code mongodb://host:port,host:port/database}, as the client was configured. */
  static URI location(MongoClient client, String database) {
    ClusterSettings settings = client.getClusterDescription().getClusterSettings();
    String srvHost = settings.getSrvHost();
    String hosts =
        srvHost != null
            ? srvHost
            : settings.getHosts().stream()
                .map(h -> bracketed(h.getHost()) + ":" + h.getPort())
                .collect(Collectors.joining(","));
    try {
      String scheme = srvHost != null ? "mongodb+srv" : "mongodb";
      return new URI(scheme, hosts, "/" + database, null, null);
    } catch (URISyntaxException e) {
      throw new AssertionError("hosts that a driver connects to are a URI's authority", e);
    }
  }

  private static String bracketed(String host) {
    return host.indexOf(':') >= 0 ? "[" + host + "]" : host;
  }

  /** See {@link #lent}. */
  record Lent(MongoClient client) implements Access, Lease {
    @Override
    public Lease lease() {
      return this;
    }

    @Override
    public String describe() {
      return location(client, "").toString();
    }

    @Override
    public void close() {
      // its owner does
    }
  }

  /** See {@link #connecting}. */
  record Connecting(Supplier<Secret> connectionString) implements Access {
    @Override
    public Lease lease() throws BackupException {
      MongoClient client = connect();
      return new Lease() {
        @Override
        public MongoClient client() {
          return client;
        }

        @Override
        public void close() {
          client.close();
        }
      };
    }

    /** The driver's message and cause are dropped: both may quote the string. */
    private MongoClient connect() throws BackupException {
      try (Secret secret = connectionString.get()) {
        ConnectionString parsed = secret.use(s -> new ConnectionString(new String(s)));
        return MongoClients.create(parsed);
      } catch (IllegalArgumentException | MongoException e) {
        throw new BackupException.Source(
            MongoFailure.BAD_CONNECTION_STRING,
            "connection string was not understood: " + e.getClass().getSimpleName());
      }
    }

    @Override
    public String describe() {
      return "mongodb:";
    }
  }
}
