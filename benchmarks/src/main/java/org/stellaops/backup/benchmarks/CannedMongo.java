package org.stellaops.backup.benchmarks;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.bson.BsonArray;
import org.bson.BsonBinaryReader;
import org.bson.BsonBinaryWriter;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.codecs.DecoderContext;
import org.bson.codecs.EncoderContext;
import org.bson.io.BasicOutputBuffer;

/**
 * A server that costs nothing: it answers from arrays that were made before, and acknowledges
 * inserts without keeping anything, so that what is measured is the client.
 */
final class CannedMongo implements AutoCloseable {
  static final String DB = "canned";

  private static final int OP_REPLY = 1;
  private static final int OP_QUERY = 2004;
  private static final int OP_MSG = 2013;
  private static final int BATCH_BYTES = 16 << 20;

  private final ServerSocket server;
  private final Map<String, Elements> collections;
  private final Map<Long, Cursor> cursors = new ConcurrentHashMap<>();
  private final Map<String, AtomicLong> inserted = new ConcurrentHashMap<>();
  private final AtomicLong nextCursor = new AtomicLong(1);
  private final Phases phases = new Phases();

  private CannedMongo(ServerSocket server, Map<String, Elements> collections) {
    this.server = server;
    this.collections = collections;
  }

  /** With so many megabytes in five collections. */
  static CannedMongo start(int megabytes) throws IOException {
    Map<String, Elements> collections = new TreeMap<>();
    int[] shares = {35, 25, 20, 12, 8};
    for (int i = 0; i < shares.length; i++) {
      String name = DirectoryDocuments.COLLECTIONS.get(i);
      collections.put(name, Elements.make(i, name, megabytes * 10_000 * shares[i]));
    }
    var canned =
        new CannedMongo(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), collections);
    daemon(canned::accept);
    return canned;
  }

  String uri() {
    return "mongodb://127.0.0.1:" + server.getLocalPort();
  }

  long bytes() {
    return collections.values().stream().mapToLong(Elements::documentBytes).sum();
  }

  /** Documents that were acknowledged in a database. */
  long inserted(String database) {
    return inserted.entrySet().stream()
        .filter(e -> e.getKey().startsWith(database + "."))
        .mapToLong(e -> e.getValue().get())
        .sum();
  }

  long documents() {
    return collections.values().stream().mapToLong(e -> e.count).sum();
  }

  void forget() {
    inserted.clear();
    phases.begin();
  }

  /** Since {@link #forget}: what was inserted, and what was restored and read. */
  Phases phases() {
    return phases;
  }

  /** When a restore wrote and when it read, as the server sees it. */
  static final class Phases {
    private long began;
    private long firstInsert;
    private long lastInsert;
    private long lastRead;

    private synchronized void begin() {
      began = System.nanoTime();
      firstInsert = 0;
      lastInsert = 0;
      lastRead = 0;
    }

    private synchronized void inserted() {
      lastInsert = System.nanoTime();
      firstInsert = firstInsert == 0 ? lastInsert : firstInsert;
    }

    private synchronized void read() {
      lastRead = System.nanoTime();
    }

    /** Before the first insert arrived. */
    synchronized double secondsBefore() {
      return (firstInsert - began) / 1e9;
    }

    /** From the first insert to the last. */
    synchronized double secondsInserting() {
      return (lastInsert - firstInsert) / 1e9;
    }

    /** From the last insert to the last reply with documents. */
    synchronized double secondsReading() {
      return Math.max(0, lastRead - lastInsert) / 1e9;
    }
  }

  private static void daemon(Runnable body) {
    Thread thread = new Thread(body, "canned");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        socket.setTcpNoDelay(true);
        daemon(() -> serve(socket));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      var in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 16));
      OutputStream out = new BufferedOutputStream(socket.getOutputStream(), 1 << 16);
      byte[] header = new byte[16];
      while (true) {
        in.readFully(header);
        ByteBuffer head = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        byte[] body = new byte[head.getInt() - header.length];
        int request = head.getInt();
        in.readFully(body);
        answer(request, head.getInt(12), ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN), out);
        out.flush();
      }
    } catch (EOFException e) {
      // The client is done.
    } catch (IOException e) {
      // The client went away.
    }
  }

  private void answer(int request, int code, ByteBuffer body, OutputStream out) throws IOException {
    if (code == OP_QUERY) {
      body.position(4);
      while (body.get() != 0) {
        // The namespace.
      }
      body.position(body.position() + 8);
      send(out, request, OP_REPLY, new byte[20], encode(reply(decode(body), 0)));
      return;
    }
    body.position(5); // flags, and section of kind 0
    BsonDocument command = decode(body);
    long sequence = 0;
    while (body.remaining() > 4) {
      sequence += skipSequence(body);
    }
    String name = command.getFirstKey();
    boolean isOfCollection = command.isString(name);
    if (name.equals("find") && isOfCollection) {
      find(request, command, out);
    } else if (name.equals("getMore")) {
      Cursor cursor = cursors.get(command.getInt64(name).getValue());
      more(request, Objects.requireNonNull(cursor, "no cursor"), command, "nextBatch", out);
    } else {
      send(out, request, OP_MSG, new byte[5], encode(reply(command, sequence)));
    }
  }

  /** Documents of a section of kind 1. */
  private static long skipSequence(ByteBuffer body) {
    body.get();
    int end = body.position() + body.getInt();
    while (body.get() != 0) {
      // The identifier.
    }
    long documents = 0;
    while (body.position() < end) {
      body.position(body.position() + body.getInt(body.position()));
      documents++;
    }
    return documents;
  }

  private void find(int request, BsonDocument command, OutputStream out) throws IOException {
    String namespace =
        command.getString("$db").getValue() + "." + command.getString("find").getValue();
    Elements elements = visible(namespace);
    more(
        request,
        new Cursor(namespace, elements, nextCursor.getAndIncrement()),
        command,
        "firstBatch",
        out);
  }

  /** What was restored reads as what was dumped. */
  private Elements visible(String namespace) {
    int dot = namespace.indexOf('.');
    boolean isThere = namespace.startsWith(DB + ".") || inserted.containsKey(namespace);
    Elements elements = collections.get(namespace.substring(dot + 1));
    return isThere && elements != null ? elements : Elements.NONE;
  }

  private void more(
      int request, Cursor cursor, BsonDocument command, String field, OutputStream out)
      throws IOException {
    int most =
        command.getNumber("batchSize", new BsonInt32(cursor.at == 0 ? 101 : 1 << 30)).intValue();
    int from = cursor.at;
    int to = cursor.elements.end(from, most, BATCH_BYTES);
    cursor.at = to;
    boolean isOver = to == cursor.elements.count;
    boolean isSingle = command.getBoolean("singleBatch", BsonBoolean.FALSE).getValue();
    long id = isOver || isSingle ? 0 : cursor.id;
    if (id == 0) {
      cursors.remove(cursor.id);
    } else {
      cursors.put(cursor.id, cursor);
    }
    int start = cursor.elements.starts[from];
    int length = cursor.elements.starts[to] - start;
    sendBatch(out, request, cursor, field, id, start, length);
    if (to > from && !cursor.namespace.startsWith(DB + ".")) {
      phases.read();
    }
  }

  /**
   * {@code {cursor: {id, ns, field: [elements]}, ok: 1}}, around elements that stay where they are.
   */
  private static void sendBatch(
      OutputStream out, int request, Cursor cursor, String field, long id, int start, int length)
      throws IOException {
    byte[] ns = cursor.namespace.getBytes(StandardCharsets.UTF_8);
    int array = 4 + length + 1;
    int inner = 4 + 1 + 3 + 8 + 1 + 3 + 4 + ns.length + 1 + 1 + field.length() + 1 + array + 1;
    int outer = 4 + 1 + 7 + inner + 1 + 3 + 8 + 1;
    ByteBuffer head = ByteBuffer.allocate(200 + ns.length).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(outer).put((byte) 3).put(text("cursor")).putInt(inner);
    head.put((byte) 0x12).put(text("id")).putLong(id);
    head.put((byte) 2).put(text("ns")).putInt(ns.length + 1).put(ns).put((byte) 0);
    head.put((byte) 4).put(text(field)).putInt(array);
    ByteBuffer tail = ByteBuffer.allocate(15).order(ByteOrder.LITTLE_ENDIAN);
    tail.put((byte) 0).put((byte) 0).put((byte) 1).put(text("ok")).putDouble(1).put((byte) 0);
    byte[] before = new byte[5 + head.position()];
    System.arraycopy(head.array(), 0, before, 5, head.position());
    send(out, request, OP_MSG, before, tail.array(), cursor.elements.bytes, start, length);
  }

  private static byte[] text(String text) {
    return (text + "\0").getBytes(StandardCharsets.UTF_8);
  }

  private static void send(OutputStream out, int request, int code, byte[] before, byte[] after)
      throws IOException {
    send(out, request, code, before, after, new byte[0], 0, 0);
  }

  /** Message of {@code before}, part of an array, and {@code after}. */
  private static void send(
      OutputStream out,
      int request,
      int code,
      byte[] before,
      byte[] after,
      byte[] middle,
      int start,
      int length)
      throws IOException {
    ByteBuffer header = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    header
        .putInt(16 + before.length + length + after.length)
        .putInt(1)
        .putInt(request)
        .putInt(code);
    out.write(header.array());
    if (code == OP_REPLY) {
      before[16] = 1; // documents that follow
    }
    out.write(before);
    out.write(middle, start, length);
    out.write(after);
  }

  private BsonDocument reply(BsonDocument command, long sequence) {
    String name = command.getFirstKey();
    String database = command.getString("$db", new BsonString("admin")).getValue();
    String collection = command.isString(name) ? command.getString(name).getValue() : "";
    BsonDocument ok = new BsonDocument("ok", new BsonDouble(1));
    switch (name) {
      case "hello", "isMaster", "ismaster" -> {
        return ok.append("helloOk", BsonBoolean.TRUE)
            .append("isWritablePrimary", BsonBoolean.TRUE)
            .append("ismaster", BsonBoolean.TRUE)
            .append("maxBsonObjectSize", new BsonInt32(16 << 20))
            .append("maxMessageSizeBytes", new BsonInt32(48_000_000))
            .append("maxWriteBatchSize", new BsonInt32(100_000))
            .append("localTime", new BsonDateTime(System.currentTimeMillis()))
            .append("logicalSessionTimeoutMinutes", new BsonInt32(30))
            .append("minWireVersion", new BsonInt32(0))
            .append("maxWireVersion", new BsonInt32(21))
            .append("readOnly", BsonBoolean.FALSE);
      }
      case "buildInfo", "buildinfo" -> {
        return ok.append("version", new BsonString("7.0.14"))
            .append("versionArray", BsonArray.parse("[7, 0, 14, 0]"))
            .append("maxBsonObjectSize", new BsonInt32(16 << 20));
      }
      case "listDatabases" -> {
        return ok.append("databases", BsonArray.parse("[{name: '" + DB + "', sizeOnDisk: 1}]"));
      }
      case "listCollections" -> {
        return cursor(ok, database + ".$cmd.listCollections", listed(database));
      }
      case "listIndexes" -> {
        return cursor(
            ok,
            database + "." + collection,
            BsonArray.parse("[{v: 2, key: {_id: 1}, name: '_id_'}]"));
      }
      case "count" -> {
        return ok.append("n", new BsonInt64(visible(database + "." + collection).count));
      }
      case "aggregate" -> {
        long count = visible(database + "." + collection).count;
        BsonDocument counted =
            new BsonDocument("_id", new BsonInt32(1))
                .append("n", new BsonInt64(count))
                .append("count", new BsonInt64(count));
        return cursor(ok, database + "." + collection, new BsonArray(java.util.List.of(counted)));
      }
      case "dbStats" -> {
        return ok.append("dataSize", new BsonInt64(listed(database).isEmpty() ? 0 : bytes()));
      }
      case "collStats" -> {
        Elements elements = visible(database + "." + collection);
        return ok.append("count", new BsonInt64(elements.count))
            .append("size", new BsonInt64(elements.documentBytes()));
      }
      case "insert" -> {
        long n = sequence + command.getArray("documents", new BsonArray()).size();
        inserted.computeIfAbsent(database + "." + collection, k -> new AtomicLong()).addAndGet(n);
        phases.inserted();
        return ok.append("n", new BsonInt32((int) n));
      }
      case "update", "delete" -> {
        return ok.append("n", new BsonInt32(1)).append("nModified", new BsonInt32(1));
      }
      case "create" -> {
        inserted.computeIfAbsent(database + "." + collection, k -> new AtomicLong());
        return ok;
      }
      case "drop" -> {
        inserted.remove(database + "." + collection);
        return ok;
      }
      default -> {
        return ok;
      }
    }
  }

  private BsonArray listed(String database) {
    BsonArray listed = new BsonArray();
    for (String name : collections.keySet()) {
      if (database.equals(DB) || inserted.containsKey(database + "." + name)) {
        listed.add(
            BsonDocument.parse(
                "{name: '"
                    + name
                    + "', type: 'collection', options: {}, info: {readOnly: false}}"));
      }
    }
    return listed;
  }

  private static BsonDocument cursor(BsonDocument reply, String namespace, BsonArray batch) {
    return reply.append(
        "cursor",
        new BsonDocument("id", new BsonInt64(0))
            .append("ns", new BsonString(namespace))
            .append("firstBatch", batch));
  }

  private static BsonDocument decode(ByteBuffer body) {
    int start = body.position();
    int length = body.getInt(start);
    ByteBuffer slice = body.slice(start, length).order(ByteOrder.LITTLE_ENDIAN);
    body.position(start + length);
    return new BsonDocumentCodec()
        .decode(new BsonBinaryReader(slice), DecoderContext.builder().build());
  }

  private static byte[] encode(BsonDocument document) {
    var buffer = new BasicOutputBuffer();
    new BsonDocumentCodec()
        .encode(new BsonBinaryWriter(buffer), document, EncoderContext.builder().build());
    return buffer.toByteArray();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }

  /** Where somebody is. */
  private static final class Cursor {
    final String namespace;
    final Elements elements;
    final long id;
    int at;

    Cursor(String namespace, Elements elements, long id) {
      this.namespace = namespace;
      this.elements = elements;
      this.id = id;
    }
  }

  /** Documents as elements of an array, all under the key 0, which nobody reads. */
  private static final class Elements {
    static final Elements NONE = new Elements(new byte[0], new int[1], 0);

    final byte[] bytes;
    final int[] starts;
    final int count;

    Elements(byte[] bytes, int[] starts, int count) {
      this.bytes = bytes;
      this.starts = starts;
      this.count = count;
    }

    long documentBytes() {
      return starts[count] - 3L * count;
    }

    int end(int from, int mostDocuments, int mostBytes) {
      int to = from;
      while (to < count
          && to - from < mostDocuments
          && (to == from || starts[to + 1] - starts[from] <= mostBytes)) {
        to++;
      }
      return to;
    }

    /** Documents of a collection, as elements of an array; all have the same short name. */
    static Elements make(int seed, String collection, int bytes) {
      var documents = new DirectoryDocuments(seed);
      byte[] all = new byte[bytes + 16_384];
      int[] starts = new int[bytes / 100 + 2];
      int at = 0;
      int count = 0;
      while (at < bytes) {
        byte[] document = encode(documents.next(collection, count));
        all[at] = 3;
        all[at + 1] = '0';
        System.arraycopy(document, 0, all, at + 3, document.length);
        at += 3 + document.length;
        starts[++count] = at;
      }
      return new Elements(all, starts, count);
    }
  }
}
