// An event loop whose one long iteration waits for a lock of Rust's standard library or of parking_lot,
// which another thread holds in a sleep; or for which it waits for ever.
//
//   rust_locks healthy|mutex|rwlock|readers|condvar|parking-lot-mutex|parking-lot-rwlock|deadlock

use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Barrier, Condvar, Mutex, RwLock};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

const HOLD: Duration = Duration::from_millis(300);
const MOMENT: Duration = Duration::from_micros(300);

static CACHE: Mutex<u64> = Mutex::new(0);
static LOG: Mutex<u64> = Mutex::new(0);
static TABLE: RwLock<u64> = RwLock::new(0);
static NEWS: Condvar = Condvar::new();
static PARKING_CACHE: parking_lot::Mutex<u64> = parking_lot::const_mutex(0);
static PARKING_TABLE: parking_lot::RwLock<u64> = parking_lot::const_rwlock(0);

fn named_thread(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    Builder::new().name(name.to_string()).spawn(work).unwrap()
}

#[inline(never)]
fn keep() {
    std::thread::sleep(HOLD);
}

/// What the loop waits for in its one long iteration. Each thread that holds a lock says so first.
#[inline(never)]
fn wait_for_mutex() {
    *CACHE.lock().unwrap() += 1; // mutex
}

#[inline(never)]
fn wait_for_log() {
    *LOG.lock().unwrap() += 1; // deadlock
}

#[inline(never)]
fn wait_to_write() {
    *TABLE.write().unwrap() += 1; // rwlock
}

#[inline(never)]
fn wait_to_read() -> u64 {
    *TABLE.read().unwrap() // readers
}

#[inline(never)]
fn wait_for_news() {
    let mut cache = CACHE.lock().unwrap();
    while *cache == 0 {
        cache = NEWS.wait(cache).unwrap(); // condvar
    }
}

#[inline(never)]
fn wait_for_parking_lot() {
    *PARKING_CACHE.lock() += 1; // parking-lot-mutex
}

#[inline(never)]
fn wait_to_write_parking_lot() {
    *PARKING_TABLE.write() += 1; // parking-lot-rwlock
}

struct Loop {
    epoll: i32,
    timer: i32,
}

impl Loop {
    fn new() -> Loop {
        unsafe {
            let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            let timer = libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC);
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
            libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, timer, &mut event);
            Loop { epoll, timer }
        }
    }

    fn iterations(&self, count: u32, mut callback: impl FnMut()) {
        for _ in 0..count {
            unsafe {
                let mut soon: libc::itimerspec = std::mem::zeroed();
                soon.it_value.tv_nsec = 5_000_000;
                libc::timerfd_settime(self.timer, 0, &soon, std::ptr::null_mut());
                let mut event = libc::epoll_event { events: 0, u64: 0 };
                libc::epoll_wait(self.epoll, &mut event, 1, -1);
            }
            callback();
        }
    }

    /// One iteration that waits, by `wait`, for what a thread of `hold` holds until it calls keep().
    fn long_iteration(&self, hold: impl FnOnce(Sender<()>) + Send + 'static, wait: impl FnOnce()) {
        self.iterations(20, || {});
        let (holds, held) = channel();
        let mut wait = Some(wait);
        let mut hold = Some(hold);
        let mut keeper = None;
        self.iterations(1, || {
            let hold = hold.take().unwrap();
            let holds = holds.clone();
            keeper = Some(named_thread("keeper", move || hold(holds)));
            held.recv().unwrap();
            let begin = Instant::now();
            wait.take().unwrap()();
            let length = begin.elapsed().as_secs_f64() * 1e3;
            println!("blocked {} {:.3}", std::process::id(), length);
        });
        self.iterations(20, || {});
        keeper.unwrap().join().unwrap();
    }
}

/// All locks, free or held by others for a moment, beside workers who rest most of the time.
fn healthy(events: &Loop) {
    let jobs: Arc<(Mutex<u32>, Condvar)> = Arc::default();
    for _ in 0..4 {
        let jobs = jobs.clone();
        named_thread("worker", move || loop {
            let mut left = jobs.0.lock().unwrap();
            while *left == 0 {
                left = jobs.1.wait(left).unwrap();
            }
            *left -= 1;
            drop(left);
            let mut cache = CACHE.lock().unwrap();
            let mut table = TABLE.write().unwrap();
            let mut parking_cache = PARKING_CACHE.lock();
            let mut parking_table = PARKING_TABLE.write();
            *cache += 1;
            *table += 1;
            *parking_cache += 1;
            *parking_table += 1;
            std::thread::sleep(MOMENT);
        });
    }
    let mut iteration = 0;
    events.iterations(300, || {
        iteration += 1;
        *CACHE.lock().unwrap() += 1;
        *TABLE.write().unwrap() += 1;
        *PARKING_CACHE.lock() += 1;
        *PARKING_TABLE.write() += 1;
        // Most of the time there is no work.
        if iteration % 50 < 10 {
            *jobs.0.lock().unwrap() += 2;
            jobs.1.notify_all();
        }
    });
}

/// The loop and another thread take two locks, each in its own order.
fn deadlock(events: &Loop) {
    let mut iteration = 0;
    events.iterations(40, || {
        iteration += 1;
        if iteration != 20 {
            return;
        }
        let meeting = Arc::new(Barrier::new(2));
        let other = meeting.clone();
        named_thread("other", move || {
            let _log = LOG.lock().unwrap();
            other.wait();
            wait_for_mutex();
        });
        let _cache = CACHE.lock().unwrap();
        meeting.wait();
        println!("ready");
        wait_for_log();
    });
}

fn main() {
    let events = Loop::new();
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "healthy" => healthy(&events),
        "mutex" => events.long_iteration(
            |holds| {
                let _held = CACHE.lock().unwrap();
                holds.send(()).unwrap();
                keep();
            },
            wait_for_mutex,
        ),
        "rwlock" => events.long_iteration(
            |holds| {
                let _held = TABLE.read().unwrap();
                holds.send(()).unwrap();
                keep();
            },
            wait_to_write,
        ),
        "readers" => events.long_iteration(
            |holds| {
                let _held = TABLE.write().unwrap();
                holds.send(()).unwrap();
                keep();
            },
            || println!("read {}", wait_to_read()),
        ),
        "condvar" => events.long_iteration(
            |holds| {
                holds.send(()).unwrap();
                keep();
                *CACHE.lock().unwrap() += 1;
                NEWS.notify_all();
            },
            wait_for_news,
        ),
        "parking-lot-mutex" => events.long_iteration(
            |holds| {
                let _held = PARKING_CACHE.lock();
                holds.send(()).unwrap();
                keep();
            },
            wait_for_parking_lot,
        ),
        "parking-lot-rwlock" => events.long_iteration(
            |holds| {
                let _held = PARKING_TABLE.read();
                holds.send(()).unwrap();
                keep();
            },
            wait_to_write_parking_lot,
        ),
        "deadlock" => deadlock(&events),
        _ => std::process::exit(2),
    }
}
