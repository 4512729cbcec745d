// A selector whose iterations sleep for 200 ms each in a method that Java has compiled by then, until
// the file that is named exists. Prints its pid.

import java.io.File;
import java.io.IOException;
import java.nio.channels.Selector;

class CompiledLoop {
  private static final long TICK_MS = 20;
  private static final long STALL_MS = 200;
  private static final int USES = 200_000;

  private static long handle(boolean block, long sum) {
    if (block) {
      try {
        Thread.sleep(STALL_MS);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    return sum * 31 + 1;
  }

  public static void main(String[] arguments) throws IOException {
    File end = new File(arguments[0]);
    long sum = 0;
    for (int i = 0; i < USES; ++i) {
      sum = handle(false, sum);
    }
    Selector selector = Selector.open();
    System.out.println("pid " + ProcessHandle.current().pid());
    while (!end.exists()) {
      for (int i = 0; i < 4; ++i) {
        selector.select(TICK_MS);
      }
      sum = handle(true, sum);
    }
    System.out.println("sum " + sum);
  }
}
