"""Three threads that want one lock while a fourth has it and sleeps, again and again."""

import threading
import time

lock = threading.Lock()


def have_it():
    with lock:
        time.sleep(0.1)


def want_it():
    with lock:
        pass


for iteration in range(3):
    owner = threading.Thread(target=have_it)
    owner.start()
    time.sleep(0.02)
    waiters = [threading.Thread(target=want_it) for _ in range(3)]
    for thread in waiters:
        thread.start()
    for thread in [owner, *waiters]:
        thread.join()
