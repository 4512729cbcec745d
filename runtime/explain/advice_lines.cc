#include "runtime/explain/advice_lines.h"

#include <algorithm>

namespace tailback {

namespace {

struct Line {
  Runtime runtime;
  Cause cause;
  std::string_view text;
};

constexpr Line kLines[] = {
    {Runtime::kNone, Cause::kSleep,
     "let the loop wake you: a timer (timerfd, or the loop's own) in place of the sleep"},
    {Runtime::kNone, Cause::kFile,
     "move the file access to a worker thread, or submit it through io_uring"},
    {Runtime::kNone, Cause::kSocket,
     "make the descriptor non-blocking and wait for it in the loop"},
    {Runtime::kNone, Cause::kDns,
     "use an asynchronous resolver (c-ares, getaddrinfo_a) or ask in a worker thread"},
    {Runtime::kNone, Cause::kProcess,
     "let the loop tell you of the child's end (a pidfd or SIGCHLD in a signalfd)"},
    {Runtime::kNone, Cause::kIpc,
     "use the non-blocking form (O_NONBLOCK, IPC_NOWAIT) and wait in the loop, or in a thread "
     "of its own; opening a FIFO waits for its other end unless O_NONBLOCK is given"},
    {Runtime::kNone, Cause::kLock,
     "hold the lock for less time: no input, output or waiting while it is held; or hand the "
     "work to the thread that owns the data"},
    {Runtime::kNone, Cause::kGil,
     "move the thread that computes to a process of its own, so that the interpreter's lock is "
     "free"},
    {Runtime::kNone, Cause::kWait,
     "let the other thread post to the loop (an eventfd, or the loop's own post) in place of "
     "waiting for it"},
    {Runtime::kNone, Cause::kCpu,
     "move the computation to a worker thread, or do it in parts between iterations"},
    {Runtime::kNone, Cause::kRunQueueWait,
     "the program was ready, the machine was not: fewer busy threads, more CPUs, or a higher "
     "priority for the loop"},
    {Runtime::kNone, Cause::kThrottled,
     "the container's CPU quota was used up: raise it, or use fewer threads at once"},
    {Runtime::kNone, Cause::kPageFault,
     "memory was paged in: keep it resident (mlock), or give the program more memory"},
    {Runtime::kNone, Cause::kStopped, "not the program's fault: it was stopped from outside"},
    {Runtime::kNone, Cause::kSuspended, "not the program's fault: it was stopped from outside"},
    {Runtime::kNone, Cause::kMany,
     "no single call is long, their sum is: fewer, larger requests (a batch or a pipeline), or "
     "spread them over several iterations"},
    {Runtime::kNone, Cause::kUnknown,
     "record again with a lower threshold to see what the iteration consists of"},
    {Runtime::kLibuv, Cause::kSleep,
     "start a uv_timer_t in place of the sleep: libuv calls back when the time is over"},
    {Runtime::kLibuv, Cause::kFile,
     "give the uv_fs_* function a callback, so that it runs in libuv's thread pool; other file "
     "access goes into uv_queue_work()"},
    {Runtime::kLibuv, Cause::kSocket,
     "let libuv own the socket (uv_tcp_t, uv_pipe_t), or make it non-blocking and watch it with "
     "uv_poll_t"},
    {Runtime::kLibuv, Cause::kDns,
     "use uv_getaddrinfo() with a callback, which asks in libuv's thread pool"},
    {Runtime::kLibuv, Cause::kProcess,
     "start the child with uv_spawn(): its exit callback tells of the end"},
    {Runtime::kLibuv, Cause::kIpc,
     "make the descriptor non-blocking and watch it with uv_poll_t; what can't be goes into "
     "uv_queue_work()"},
    {Runtime::kLibuv, Cause::kWait,
     "let the other thread call uv_async_send() in place of waiting for it"},
    {Runtime::kLibuv, Cause::kCpu,
     "move the computation to uv_queue_work(), or do it in parts from a uv_idle_t"},
    {Runtime::kLibevent, Cause::kSleep,
     "add a timer event (evtimer_new, evtimer_add) in place of the sleep"},
    {Runtime::kLibevent, Cause::kFile,
     "do the file access in a worker thread that reports back with event_active() (after "
     "evthread_use_pthreads())"},
    {Runtime::kLibevent, Cause::kSocket,
     "use a bufferevent, or evutil_make_socket_nonblocking() and an event for the socket"},
    {Runtime::kLibevent, Cause::kDns, "use evdns_getaddrinfo() in place of getaddrinfo()"},
    {Runtime::kLibevent, Cause::kProcess,
     "let an evsignal event for SIGCHLD tell of the child's end, and reap it with WNOHANG"},
    {Runtime::kLibevent, Cause::kIpc,
     "make the descriptor non-blocking and wait for it with an event; what can't be goes into a "
     "thread of its own"},
    {Runtime::kLibevent, Cause::kWait,
     "let the other thread call event_active() (after evthread_use_pthreads()) in place of "
     "waiting for it"},
    {Runtime::kLibevent, Cause::kCpu,
     "move the computation to a worker thread that reports back with event_active(), or do it "
     "in parts between iterations"},
    {Runtime::kLibev, Cause::kSleep, "start an ev_timer in place of the sleep"},
    {Runtime::kLibev, Cause::kFile,
     "do the file access in a worker thread (libeio does) that reports back with ev_async_send()"},
    {Runtime::kLibev, Cause::kSocket, "make the socket non-blocking and watch it with an ev_io"},
    {Runtime::kLibev, Cause::kDns,
     "use an asynchronous resolver (c-ares) with ev_io watchers, or ask in a thread that calls "
     "ev_async_send()"},
    {Runtime::kLibev, Cause::kProcess, "let an ev_child watcher tell of the child's end"},
    {Runtime::kLibev, Cause::kIpc,
     "make the descriptor non-blocking and watch it with an ev_io; what can't be goes into a "
     "thread of its own"},
    {Runtime::kLibev, Cause::kWait,
     "let the other thread call ev_async_send() in place of waiting for it"},
    {Runtime::kLibev, Cause::kCpu,
     "move the computation to a worker thread that calls ev_async_send(), or do it in parts "
     "from an ev_idle"},
    {Runtime::kAsio, Cause::kSleep, "async_wait() on an asio::steady_timer in place of the sleep"},
    {Runtime::kAsio, Cause::kFile,
     "post() the file access to an asio::thread_pool, and the result back to the io_context"},
    {Runtime::kAsio, Cause::kSocket,
     "use the async_… form of the operation (async_connect, async_read, async_write)"},
    {Runtime::kAsio, Cause::kDns,
     "use resolver::async_resolve(), which asks in a thread of Asio's own"},
    {Runtime::kAsio, Cause::kProcess,
     "let a signal_set for SIGCHLD, or Boost.Process's on_exit, tell of the child's end"},
    {Runtime::kAsio, Cause::kIpc,
     "give the descriptor to a posix::stream_descriptor and use its async_… operations"},
    {Runtime::kAsio, Cause::kLock,
     "run the handlers that share the data on one strand in place of the lock, or hold the lock "
     "for less time"},
    {Runtime::kAsio, Cause::kWait,
     "let the other thread post() its result to the io_context in place of waiting for it"},
    {Runtime::kAsio, Cause::kCpu,
     "post() the computation to an asio::thread_pool, and the result back to the io_context"},
    {Runtime::kGlib, Cause::kSleep, "use g_timeout_add() in place of the sleep"},
    {Runtime::kGlib, Cause::kFile,
     "use GIO's asynchronous form (g_file_load_contents_async, …), or g_task_run_in_thread()"},
    {Runtime::kGlib, Cause::kSocket,
     "use GIO's asynchronous streams (g_socket_client_connect_async, g_input_stream_read_async)"},
    {Runtime::kGlib, Cause::kDns, "use g_resolver_lookup_by_name_async()"},
    {Runtime::kGlib, Cause::kProcess,
     "use GSubprocess with g_subprocess_wait_async(), or g_child_watch_add()"},
    {Runtime::kGlib, Cause::kIpc,
     "make the descriptor non-blocking and watch it with g_unix_fd_add()"},
    {Runtime::kGlib, Cause::kWait,
     "let the other thread call g_main_context_invoke() or return through a GTask, in place of "
     "waiting for it"},
    {Runtime::kGlib, Cause::kCpu,
     "move the computation to g_task_run_in_thread(), or do it in parts from g_idle_add()"},
    {Runtime::kQt, Cause::kSleep, "use QTimer::singleShot() in place of the sleep"},
    {Runtime::kQt, Cause::kFile,
     "move the file access to QtConcurrent::run(), with a QFutureWatcher for the result"},
    {Runtime::kQt, Cause::kSocket,
     "connect to the socket's signals (connected, readyRead) in place of waitFor…()"},
    {Runtime::kQt, Cause::kDns, "use QHostInfo::lookupHost() in place of fromName()"},
    {Runtime::kQt, Cause::kProcess,
     "connect to QProcess's finished() in place of waitForFinished() or execute()"},
    {Runtime::kQt, Cause::kIpc,
     "make the descriptor non-blocking and watch it with a QSocketNotifier"},
    {Runtime::kQt, Cause::kWait,
     "let the other thread emit a signal (a queued connection), or watch its QFuture with a "
     "QFutureWatcher, in place of waiting for it"},
    {Runtime::kQt, Cause::kCpu,
     "move the computation to QtConcurrent::run() or a QThread, with a queued signal for the "
     "result"},
    {Runtime::kTokio, Cause::kSleep,
     "tokio::time::sleep(…).await in place of std::thread::sleep()"},
    {Runtime::kTokio, Cause::kFile,
     "use tokio::fs, or tokio::task::spawn_blocking for several accesses at once"},
    {Runtime::kTokio, Cause::kSocket, "use tokio::net's types in place of std::net's"},
    {Runtime::kTokio, Cause::kDns,
     "tokio::net::lookup_host(…).await, which asks in a blocking thread"},
    {Runtime::kTokio, Cause::kProcess,
     "tokio::process::Command and .await in place of std::process"},
    {Runtime::kTokio, Cause::kIpc,
     "make the descriptor non-blocking and wrap it in tokio::io::unix::AsyncFd, or use "
     "spawn_blocking"},
    {Runtime::kTokio, Cause::kLock,
     "hold the lock for less time, or use tokio::sync::Mutex, whose lock().await leaves the "
     "worker free"},
    {Runtime::kTokio, Cause::kWait,
     "await it: tokio::sync (oneshot, mpsc, Notify) in place of std's channels and Condvar; or "
     "wait in spawn_blocking"},
    {Runtime::kTokio, Cause::kCpu,
     "move the computation to spawn_blocking or a rayon pool, or do it in parts with "
     "yield_now().await"},
    {Runtime::kJvm, Cause::kSleep,
     "schedule what comes next (a ScheduledExecutorService, or the select's timeout) in place "
     "of Thread.sleep()"},
    {Runtime::kJvm, Cause::kFile,
     "hand the file access to an executor, or use AsynchronousFileChannel"},
    {Runtime::kJvm, Cause::kSocket,
     "configureBlocking(false), and register the channel with the selector"},
    {Runtime::kJvm, Cause::kDns,
     "look the name up in an executor, or with an asynchronous resolver: "
     "InetAddress.getByName() waits for the answer"},
    {Runtime::kJvm, Cause::kProcess, "use Process.onExit() in place of waitFor()"},
    {Runtime::kJvm, Cause::kLock,
     "hold the monitor for less time: no input, output or waiting in it; or hand the work to "
     "the thread that owns the data"},
    {Runtime::kJvm, Cause::kWait,
     "let the other thread queue its result and call Selector.wakeup(), or use thenAccept() in "
     "place of get()"},
    {Runtime::kJvm, Cause::kCpu,
     "hand the computation to an executor, which queues its result and calls Selector.wakeup()"},
    {Runtime::kJvm, Cause::kPageFault,
     "memory was paged in: keep the heap resident (-XX:+AlwaysPreTouch, no swap), or give the "
     "machine more memory"},
    {Runtime::kNode, Cause::kSleep,
     "setTimeout (or timers/promises) lets the loop go on meanwhile"},
    {Runtime::kNode, Cause::kFile,
     "use the asynchronous twin of the function (fs.promises) in place of …Sync"},
    {Runtime::kNode, Cause::kSocket, "use node's own sockets (net, http), which never block"},
    {Runtime::kNode, Cause::kDns,
     "use dns.lookup() or dns.promises in place of a native getaddrinfo()"},
    {Runtime::kNode, Cause::kProcess,
     "use execFile, exec or spawn with a callback in place of execFileSync, execSync or "
     "spawnSync"},
    {Runtime::kNode, Cause::kIpc,
     "read pipes as streams (fs.createReadStream) or with fs.promises in place of …Sync"},
    {Runtime::kNode, Cause::kWait,
     "let the worker answer with postMessage(), or use Atomics.waitAsync() in place of "
     "Atomics.wait()"},
    {Runtime::kNode, Cause::kCpu,
     "move the computation to a worker thread (worker_threads), or do it in parts with "
     "setImmediate()"},
    {Runtime::kPython, Cause::kSleep,
     "use the loop's timer (Twisted: reactor.callLater(); gevent: gevent.sleep()) in place of "
     "time.sleep()"},
    {Runtime::kPython, Cause::kFile,
     "move the file access to a thread (concurrent.futures; Twisted: deferToThread(); gevent: "
     "its threadpool)"},
    {Runtime::kPython, Cause::kSocket,
     "make the socket non-blocking and wait for it in the loop, or use the framework's own "
     "client"},
    {Runtime::kPython, Cause::kDns,
     "use the framework's resolver (Twisted: reactor.resolve(); gevent: gevent.socket), or ask "
     "in a thread"},
    {Runtime::kPython, Cause::kProcess,
     "let the loop tell you of the child's end (Twisted: reactor.spawnProcess(); gevent: "
     "gevent.subprocess)"},
    {Runtime::kPython, Cause::kWait,
     "let the other thread call into the loop (Twisted: reactor.callFromThread()) in place of "
     "waiting for it"},
    {Runtime::kPython, Cause::kCpu,
     "move the computation to a process pool (concurrent.futures.ProcessPoolExecutor): threads "
     "share the interpreter's lock"},
    {Runtime::kAsyncio, Cause::kSleep,
     "await asyncio.sleep() in place of time.sleep(), or loop.call_later(), lets the loop go on "
     "meanwhile"},
    {Runtime::kAsyncio, Cause::kFile,
     "move the file access to a thread: await loop.run_in_executor(None, …) or "
     "asyncio.to_thread(…)"},
    {Runtime::kAsyncio, Cause::kSocket,
     "use asyncio's streams (or an asynchronous client library) for this peer"},
    {Runtime::kAsyncio, Cause::kDns,
     "await loop.getaddrinfo(), which asks in a thread, or an asynchronous resolver"},
    {Runtime::kAsyncio, Cause::kProcess,
     "use asyncio.create_subprocess_exec(), and await its wait()"},
    {Runtime::kAsyncio, Cause::kIpc,
     "use loop.connect_read_pipe() or loop.connect_write_pipe(), or wait in a thread: await "
     "loop.run_in_executor(None, …)"},
    {Runtime::kAsyncio, Cause::kLock,
     "use asyncio.Lock between tasks; a lock that threads share is best taken in a thread: "
     "asyncio.to_thread(…)"},
    {Runtime::kAsyncio, Cause::kWait,
     "await asyncio.wrap_future(future) in place of future.result(); threads answer with "
     "loop.call_soon_threadsafe()"},
    {Runtime::kAsyncio, Cause::kCpu,
     "move the computation to a process pool: loop.run_in_executor(pool, …)"},
    {Runtime::kNginx, Cause::kSleep,
     "set a timer (in C ngx_add_timer(), in Lua ngx.sleep()) in place of the sleep"},
    {Runtime::kNginx, Cause::kFile,
     "'aio threads' (with a thread_pool) moves the reading of files to threads, 'aio_write on' "
     "the writing of temporary ones"},
    {Runtime::kNginx, Cause::kSocket,
     "use an upstream or a subrequest (in Lua cosockets: ngx.socket.tcp()) for this peer"},
    {Runtime::kNginx, Cause::kDns,
     "use nginx's own resolver (the resolver directive, and a variable in proxy_pass) in place "
     "of getaddrinfo()"},
    {Runtime::kNginx, Cause::kProcess,
     "run the command outside nginx (FastCGI, or a service behind proxy_pass): a worker must "
     "not wait for a child"},
    {Runtime::kNginx, Cause::kCpu,
     "do less per request (gzip_comp_level, TLS session reuse, regular expressions); a module "
     "can use ngx_thread_task_post()"},
    {Runtime::kRedis, Cause::kSleep,
     "all clients wait meanwhile: DEBUG SLEEP is for tests; a module sets "
     "RedisModule_CreateTimer() and blocks its client"},
    {Runtime::kRedis, Cause::kFile,
     "appendfsync everysec takes fsync off this thread, no-appendfsync-on-rewrite spares it "
     "during rewrites; or a faster disk"},
    {Runtime::kRedis, Cause::kSocket,
     "commands that talk to another server (MIGRATE) wait for it: a shorter timeout, fewer keys "
     "at a time"},
    {Runtime::kRedis, Cause::kProcess,
     "forking for BGSAVE or BGREWRITEAOF copies the page tables: less data per process, or save "
     "on a replica"},
    {Runtime::kRedis, Cause::kCpu,
     "find the slow command with SLOWLOG GET: SCAN in place of KEYS, smaller ranges, UNLINK in "
     "place of DEL, shorter Lua scripts"},
    {Runtime::kRedis, Cause::kMany,
     "no single call is long, their sum is: shorter pipelines and transactions, or spread the "
     "clients over several servers"},
    {Runtime::kRedis, Cause::kPageFault,
     "memory was paged in: set maxmemory below what the machine has, so that nothing of it is "
     "swapped out"},
};

struct SignalLine {
  Runtime runtime;
  std::string_view text;
};

constexpr SignalLine kSignalLines[] = {
    {Runtime::kNone, "let the loop tell you of the signal: a signalfd"},
    {Runtime::kLibuv, "let a uv_signal_t tell you of the signal"},
    {Runtime::kLibevent, "let an evsignal event tell you of the signal"},
    {Runtime::kLibev, "let an ev_signal tell you of the signal"},
    {Runtime::kAsio, "let a signal_set tell you of the signal"},
    {Runtime::kGlib, "let g_unix_signal_add() tell you of the signal"},
    {Runtime::kTokio, "tokio::signal tells you of the signal: await it"},
    {Runtime::kNode, "process.on('SIG…') tells you of the signal"},
    {Runtime::kAsyncio, "let loop.add_signal_handler() tell you of the signal"},
    {Runtime::kQt, "read the signal from a signalfd with a QSocketNotifier"},
};

}  // namespace

std::string_view advice_line(Runtime runtime, Cause cause) {
  for (const Runtime wanted : {runtime, Runtime::kNone}) {
    const auto line = std::find_if(std::begin(kLines), std::end(kLines), [&](const Line& each) {
      return each.runtime == wanted && each.cause == cause;
    });
    if (line != std::end(kLines)) return line->text;
  }
  return "record again with a lower threshold to see what the iteration consists of";
}

std::string_view signal_advice_line(Runtime runtime) {
  const auto line = std::find_if(std::begin(kSignalLines), std::end(kSignalLines),
                                 [&](const SignalLine& each) { return each.runtime == runtime; });
  return line != std::end(kSignalLines) ? line->text : kSignalLines[0].text;
}

}  // namespace tailback
