/** Azure Blob Storage as a store of objects. */
module org.stellaops.backup.storage.azure {
  requires transitive org.stellaops.backup.core;
  requires static transitive org.jspecify;
  requires transitive com.azure.core; // a TokenCredential is taken as it is
  requires com.azure.storage.blob;
  requires java.net.http;
  requires org.slf4j;
  requires reactor.core; // in the signature of an HTTP client

  exports org.stellaops.backup.storage.azure;

  provides org.stellaops.backup.spi.LocationProvider with
      org.stellaops.backup.storage.azure.AzureLocationProvider;
}
