package org.stellaops.backup.engine;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.BackupSinkContract;

/** The store that is killed in tests is a store like any other while it lives. */
class RemoteSinkContractTest extends BackupSinkContract {
  @TempDir Path temp;
  private final List<StoreServer> servers = new ArrayList<>();

  @Override
  protected BackupSink newSink() throws IOException {
    Path directory = Files.createTempDirectory(temp, "sink").resolve("store");
    StoreServer server =
        new StoreServer(
            new ServerSocket(0, 50, InetAddress.getLoopbackAddress()),
            DirectorySink.at(directory).open(StoreContext.system()));
    servers.add(server);
    return new RemoteSink(server.port(), moment -> {});
  }

  @AfterEach
  void stop() throws IOException {
    for (StoreServer server : servers) {
      server.close();
    }
  }

  /** What is half written has to be somewhere, on the same file system. */
  @Override
  protected List<String> awkwardNames() {
    return super.awkwardNames().stream().filter(name -> !name.equals("tmp")).toList();
  }
}
