// Java NIO: a selector with timeouts and two ends of a connection, and an executor's threads that
// work or wait for it.

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

class NioLoop {
  private static final long TICK_MS = 5;
  private static final long STALL_MS = 150;
  private static final long WORK_MS = 200;
  private static final long LENGTH_MS = 2000;

  private static void sleep(long milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void blockInHandler() {
    long begin = System.nanoTime();
    sleep(STALL_MS);
    double length = (System.nanoTime() - begin) / 1e6;
    System.out.printf(
        Locale.ROOT, "blocked %d %.3f%n", ProcessHandle.current().pid(), length);
  }

  public static void main(String[] arguments) throws IOException {
    String way = arguments[0];
    ExecutorService pool = Executors.newFixedThreadPool(4);
    if (way.equals("pool")) {
      for (int i = 0; i < 24; ++i) {
        pool.execute(() -> sleep(WORK_MS));
      }
    }
    // The first use of a class loads it, which takes its time.
    String.format(Locale.ROOT, "%d %.3f%n", ProcessHandle.current().pid(), 1.0);

    Selector selector = Selector.open();
    ServerSocketChannel listener = ServerSocketChannel.open();
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    SocketChannel client = SocketChannel.open(listener.getLocalAddress());
    SocketChannel server = listener.accept();
    for (SocketChannel each : new SocketChannel[] {client, server}) {
      each.configureBlocking(false);
      each.register(selector, SelectionKey.OP_READ);
    }

    ByteBuffer buffer = ByteBuffer.allocate(64);
    long end = System.nanoTime() + LENGTH_MS * 1_000_000;
    long nextTick = System.nanoTime();
    int ticks = 0;
    int echoes = 0;
    while (System.nanoTime() < end) {
      selector.select(TICK_MS);
      for (SelectionKey key : selector.selectedKeys()) {
        SocketChannel channel = (SocketChannel) key.channel();
        buffer.clear();
        int count = channel.read(buffer);
        if (channel == client) {
          echoes += count;
        } else {
          buffer.flip();
          channel.write(buffer);
        }
      }
      selector.selectedKeys().clear();
      if (System.nanoTime() < nextTick) {
        continue;
      }
      nextTick = System.nanoTime() + TICK_MS * 1_000_000;
      client.write(ByteBuffer.wrap(new byte[] {'?'}));
      ++ticks;
      if (way.equals("stalls") && ticks % 30 == 0 && ticks <= 90) {
        blockInHandler();
      }
    }
    selector.close();
    pool.shutdownNow();
    System.out.println("echoes " + echoes);
    System.exit(0);  // workers may be asleep
  }
}
