/* Annotations: what a program can declare to Tailback. One self-contained header for C (C99) and
 * C++: copy it, or include it from where Tailback is installed (PREFIX/include). Nothing has to be
 * linked.
 *
 * Without Tailback each function is one load and one test, and does nothing. Tailback's recorder,
 * preloaded, exports what they call; they look it up as weak symbols, in executables of all kinds
 * (PIE or not) and in shared libraries. They do nothing in a static executable, where nothing can
 * be preloaded, and on machines other than x86-64 and aarch64 Linux.
 *
 * Unless a function says otherwise: it applies to the calling thread; any thread may call it at any
 * time; it is safe in signal handlers, keeps errno, and never waits, locks or allocates. A forked
 * child begins without annotations. Do not call these functions between vfork and exec.
 *
 * The options --loop and --not-loop take precedence over these functions, and these functions over
 * what Tailback concludes from a thread's behaviour. */
#ifndef TAILBACK_H_
#define TAILBACK_H_

/* The address of a function of the recorder, or a null pointer. Read from the global offset table,
 * which the dynamic linker fills in: in an executable that is not position-independent, compilers
 * take the address of a missing weak function as the constant 0. */
#if defined(__linux__) && defined(__x86_64__) && !defined(__ILP32__)
#define tailback_find_(name, pointer)                                                   \
  __asm__(".weak " name "\n\tmov{q\t" name "@GOTPCREL(%%rip), %0|\t%0, QWORD PTR " name \
          "@GOTPCREL[rip]}"                                                             \
          : "=r"(pointer))
#elif defined(__linux__) && defined(__aarch64__) && !defined(__ILP32__)
#define tailback_find_(name, pointer)                                                      \
  __asm__(".weak " name "\n\tadrp\t%0, :got:" name "\n\tldr\t%0, [%0, :got_lo12:" name "]" \
          : "=r"(pointer))
#else
#define tailback_find_(name, pointer) (void)((pointer) = 0)
#endif

/* Always inlined: the recorder needs the stack pointer of the calling function. */
#if defined(__GNUC__)
#define tailback_inline_ static __inline__ __attribute__((always_inline, unused))
#else
#define tailback_inline_ static inline
#endif

#ifdef __cplusplus
extern "C" {
#endif

tailback_inline_ void tailback_call_(void (*function)(int), int word) {
  if (function) function(word);
}

/* This thread runs an event loop, though its behaviour may not show it: a loop that polls, and
 * whose iterations are few or mostly long. Call it where the loop begins. From then on all event
 * waits of this thread (epoll, poll, select, a ring) are the loop's, except those that a callback
 * makes, and its iterations count from the first. */
tailback_inline_ void tailback_loop_thread(void) {
  void (*function)(int);
  tailback_find_("tailback_mark_thread", function);
  tailback_call_(function, 1);
}

/* This thread runs no event loop, or no longer does: Tailback reports no stalls of it, and it is
 * not among the loops at the end. */
tailback_inline_ void tailback_not_loop_thread(void) {
  void (*function)(int);
  tailback_find_("tailback_mark_thread", function);
  tailback_call_(function, 2);
}

/* Around the wait of a loop that waits in a way which Tailback does not know: on a condition
 * variable, a semaphore, a queue. The thread is then a loop, and an iteration lasts from an end to
 * the next beginning. The thread's event waits are then not those of a loop. An end without a
 * beginning does nothing. A thread has one such loop: the iterations of a nested one are iterations
 * of the same. Not for loops that wait in epoll, poll or select: Tailback knows these. */
tailback_inline_ void tailback_wait_begin(void) {
  void (*function)(int);
  tailback_find_("tailback_wait", function);
  tailback_call_(function, 1);
}
tailback_inline_ void tailback_wait_end(void) {
  void (*function)(int);
  tailback_find_("tailback_wait", function);
  tailback_call_(function, 0);
}

/* A scope that is allowed to block. Its time does not count: an iteration is a stall if it is too
 * long without that time, and is reported with the remaining length. No call in the scope is a
 * cause. Scopes nest; an end without a beginning does nothing. A scope that is left without its end
 * (by longjmp, for example) ends with the loop's next wait, and so does one that has the loop's
 * wait in the same function; a loop that runs deeper within the scope leaves it open. A scope
 * belongs to a thread and not to a coroutine: end it before the stack is switched. */
tailback_inline_ void tailback_allow_blocking_begin(void) {
  void (*function)(int);
  tailback_find_("tailback_allow_blocking", function);
  tailback_call_(function, 1);
}
tailback_inline_ void tailback_allow_blocking_end(void) {
  void (*function)(int);
  tailback_find_("tailback_allow_blocking", function);
  tailback_call_(function, 0);
}

/* Names the iteration in progress, until it ends; a later name replaces an earlier one. Reports
 * show the name: a request's route, a kind of job. This copies the first 55 bytes at most; null or
 * empty: no name. Between iterations it does nothing. */
tailback_inline_ void tailback_iteration_name(const char* name) {
  void (*function)(const char*);
  tailback_find_("tailback_name_iteration", function);
  if (function) function(name);
}

/* The former name of tailback_iteration_name(). */
tailback_inline_ void tailback_turn_name(const char* name) {
  tailback_iteration_name(name);
}

/* A coroutine that begins when it is awaited, and not before: it has been created (made), it
 * begins, it has been destroyed (dropped). Tailback reports one that is destroyed before it began:
 * it was never awaited, and the report shows where it was created. `promise` identifies it.
 * Different threads may call the three functions. Tailback follows some thousands of coroutines
 * that have not begun at a time, and no more. tailback::LazyPromise calls all three. */
tailback_inline_ void tailback_coroutine_made(const void* promise) {
  void (*function)(const void*, int);
  tailback_find_("tailback_coroutine", function);
  if (function) function(promise, 1);
}
tailback_inline_ void tailback_coroutine_begins(const void* promise) {
  void (*function)(const void*, int);
  tailback_find_("tailback_coroutine", function);
  if (function) function(promise, 2);
}
tailback_inline_ void tailback_coroutine_dropped(const void* promise) {
  void (*function)(const void*, int);
  tailback_find_("tailback_coroutine", function);
  if (function) function(promise, 3);
}

#ifdef __cplusplus
} /* extern "C" */

namespace tailback {

/* The scope of this object is allowed to block: tailback_allow_blocking_begin(). */
class AllowBlocking {
 public:
  __attribute__((always_inline)) AllowBlocking() { tailback_allow_blocking_begin(); }
  __attribute__((always_inline)) ~AllowBlocking() { tailback_allow_blocking_end(); }

 private:
  AllowBlocking(const AllowBlocking&);
  AllowBlocking& operator=(const AllowBlocking&);
};

/* The loop waits in the scope of this object: tailback_wait_begin(). */
class Wait {
 public:
  __attribute__((always_inline)) Wait() { tailback_wait_begin(); }
  __attribute__((always_inline)) ~Wait() { tailback_wait_end(); }

 private:
  Wait(const Wait&);
  Wait& operator=(const Wait&);
};

#if __cplusplus >= 201103L
/* A base for the promise_type of a C++20 coroutine that begins when it is awaited, in place of an
 * initial_suspend() of its own. It has no data. */
class LazyPromise {
 public:
  class Beginning {
   public:
    explicit Beginning(const LazyPromise* promise) noexcept : promise_(promise) {}
    bool await_ready() const noexcept { return false; }
    template <typename Handle>
    void await_suspend(Handle) const noexcept {}
    void await_resume() const noexcept { tailback_coroutine_begins(promise_); }

   private:
    const LazyPromise* promise_;
  };
  Beginning initial_suspend() const noexcept { return Beginning(this); }

 protected:
  __attribute__((always_inline)) LazyPromise() noexcept { tailback_coroutine_made(this); }
  __attribute__((always_inline)) ~LazyPromise() { tailback_coroutine_dropped(this); }

 private:
  LazyPromise(const LazyPromise&);
  LazyPromise& operator=(const LazyPromise&);
};
#endif

} /* namespace tailback */
#endif

#undef tailback_inline_
#undef tailback_find_

#endif /* TAILBACK_H_ */
