"""Four threads count without a lock.

`counter += 1` reads, adds and writes: three steps, between which the interpreter may turn to another
thread. Its lock (the GIL) makes each step whole, not all three. sys.setswitchinterval() makes it switch
more often than it would, so that the loss shows in a short run; it is there without.

Tailback can't see this race: it happens between two bytecodes of the interpreter, where no call is
made and no memory of the program's own is touched. ThreadSanitizer doesn't see it either, for the GIL
orders every access. Python 3.10 and later turn to other threads only at jumps back and at calls, so
the three steps are written out here with a call between them, as they are in any real program.
"""

# DEMO python/unsafe_counter: four threads count without a lock: updates are lost, silently
# EXPECT nothing

import sys
import threading

THREADS = 4
STEPS = 50_000
counter = 0


def add(number):
    return number + 1


def count():
    global counter
    for _ in range(STEPS):
        counter = add(counter)


sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=count) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
expected = THREADS * STEPS
print(f"counted {counter} of {expected}: {expected - counter} updates are lost")
