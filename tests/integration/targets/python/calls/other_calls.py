"""Calls that wait for time, a database, a lock or a program."""

import sqlite3
import subprocess
import threading
import time

from waiting import BACKING, FOLDER, HELD, SLOW, case, file_case, here, later, slow


@case("time.sleep", "time")
async def time_sleep():
    here(); time.sleep(HELD)


def busy_database():
    """A connection to a database that another has locked."""
    name = f"{FOLDER}/busy-{time.monotonic_ns()}"
    other = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
    other.execute("create table t (x)")
    other.execute("begin exclusive")
    later(other.execute, "commit")
    return sqlite3.connect(name)


def slow_database():
    """A connection to a database in the slow file system, one row a page."""
    name = f"{BACKING}/data-{time.monotonic_ns()}"
    made = sqlite3.connect(name)
    made.execute("pragma page_size=512")
    made.execute("create table t (x)")
    made.executemany("insert into t values (?)", [("x" * 400,)] * 6)
    made.commit()
    made.close()
    return sqlite3.connect(name.replace(BACKING, SLOW))


@case("sqlite3.Cursor.execute", "a database that another connection has locked")
async def sqlite_execute():
    own = busy_database()
    here(); own.execute("select * from t")


@case("sqlite3.Cursor.executemany", "a database that another connection has locked")
async def sqlite_executemany():
    own = busy_database()
    here(); own.executemany("insert into t values (?)", [(1,), (2,)])


@case("sqlite3.Cursor.executescript", "a database that another connection has locked")
async def sqlite_executescript():
    own = busy_database()
    here(); own.executescript("insert into t values (1); insert into t values (2);")


@file_case("sqlite3.Cursor.fetchone", "read")
async def sqlite_fetchone():
    rows = slow_database().execute("select * from t")
    with slow("read"):
        here(); rows.fetchone()


@file_case("sqlite3.Cursor.fetchmany", "read")
async def sqlite_fetchmany():
    rows = slow_database().execute("select * from t")
    with slow("read"):
        here(); rows.fetchmany(2)


@file_case("sqlite3.Cursor.fetchall", "read")
async def sqlite_fetchall():
    rows = slow_database().execute("select * from t")
    with slow("read"):
        here(); rows.fetchall()


@file_case("sqlite3.Connection.commit", "write back")
async def sqlite_commit():
    own = slow_database()
    own.execute("insert into t values (1)")
    with slow("fsync"):
        here(); own.commit()


@file_case("sqlite3.Connection.rollback", "remove")
async def sqlite_rollback():
    own = slow_database()
    own.execute("insert into t values (1)")
    with slow("unlink"):
        here(); own.rollback()


@case("threading.Lock.acquire", "a thread that has it")
async def lock_acquire():
    lock = threading.Lock()
    lock.acquire()
    later(lock.release)
    here(); lock.acquire()


@case("threading.Lock.acquire with a timeout", "a thread that has it")
async def lock_acquire_with_timeout():
    lock = threading.Lock()
    lock.acquire()
    later(lock.release)
    here(); lock.acquire(timeout=60)


@case("threading.RLock.acquire", "a thread that has it")
async def rlock_acquire():
    lock = threading.RLock()
    taken = threading.Event()

    def keep():
        with lock:
            taken.set()
            time.sleep(HELD)

    threading.Thread(target=keep).start()
    taken.wait()
    here(); lock.acquire()


@case("subprocess.run", "a program")
async def subprocess_run():
    here(); subprocess.run(["sleep", str(HELD)])
