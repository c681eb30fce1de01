package org.stellaops.backup.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;

/** What {@link DirectorySinkTest} lets another process do. */
final class DirectorySinkChild {
  private DirectorySinkChild() {}

  public static void main(String[] arguments) throws Exception {
    try (ObjectStore store = DirectorySink.at(Path.of(arguments[1])).open(StoreContext.system())) {
      switch (arguments[0]) {
        case "put-forever" -> store.put(ObjectName.of("w/victim"), new Endless());
        case "put" -> put(store, arguments[2]);
        case "sweep" ->
            System.out.println(store.ability(StoreAbility.Strays.class).orElseThrow().sweep());
        default -> throw new IllegalArgumentException(arguments[0]);
      }
    }
  }

  private static void put(ObjectStore store, String name) throws IOException {
    try {
      byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
      store.put(ObjectName.of(name), ObjectBody.of(bytes));
      System.out.println("done");
    } catch (BackupException.Sink e) {
      System.out.println(e.reason());
    }
  }

  /** Gives some bytes, says so, and then waits for ever. */
  private static final class Endless implements ObjectBody {
    @Override
    public long lengthBytes() {
      return 1 << 30;
    }

    @Override
    public Digest digest() {
      return Digest.ofContent(new byte[0]);
    }

    @Override
    public InputStream open() {
      return new InputStream() {
        private int left = 16;

        @Override
        public int read() {
          throw new AssertionError("read in pieces");
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
          if (left-- > 0) {
            return length;
          }
          System.out.println("written");
          try {
            new CountDownLatch(1).await();
            return -1;
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
        }
      };
    }
  }
}
