// A call in progress, from entry to return: an RAII scope around the next definition.
#pragma once

#include <errno.h>

#include <type_traits>

#include "instrument/contract/intercepts.h"
#include "instrument/recorder/sanitizer_frame.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {

using intercept::Function;

// The outer call while a signal handler's own call is in progress, as plain words.
struct OuterCall {
  uint32_t function = 0;
  uint32_t pauses;
  uint64_t entered = 0;
  uint64_t arguments[contract::kArguments];
  uint64_t call_site;
  contract::Context context;
};

// Puts the record's call aside if its frame is still in place, that is beyond `frame_end`, the
// outer end of the new call's own frame. Drops what a longjmp or a cancelled thread has left
// behind.
void put_aside(contract::Call& call, OuterCall& outer, uint64_t frame_end);
void put_back(contract::Call& call, const OuterCall& outer);

// Adds the time of a call to the sums of the iterations in progress. The slow half: only for
// threads that wait for events, and for calls that are not short.
// `frame` is the interceptor's outer end.
void account_call(contract::ThreadRecord& record, Function function, uint64_t call_site,
                  uint64_t frame, uint64_t duration, const contract::WaitSite* own_site);

template <typename T>
TAILBACK_INLINE uint64_t as_word(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<uint64_t>(value);
  } else {
    return static_cast<uint64_t>(value);
  }
}

// Reading the clock is the most expensive part of a scope. Event waits and waits for locks take
// long enough; other calls are timed only on threads that wait for events.
constexpr bool is_always_timed(Function function) {
  const intercept::Family family = intercept::kFunctions[static_cast<uint32_t>(function)].family;
  return family == intercept::Family::kEvents || family == intercept::Family::kLock;
}

// Where the function that expands this returns to.
#define CALL_SITE (reinterpret_cast<uint64_t>(__builtin_return_address(0)))

// The same, read only where it is used: in the interceptor itself, or in what is inlined there.
struct CallSite {
  TAILBACK_INLINE operator uint64_t() const { return CALL_SITE; }
};

class CallScope {
 public:
  // Must be expanded in the interceptor itself, whose frame stays in place: it takes the registers.
  // `call_site` is where the interceptor returns to: CALL_SITE.
  template <typename... Arguments>
  TAILBACK_INLINE explicit CallScope(uint64_t call_site, Function function, Arguments... arguments)
      : record_(current_record()),
        function_(function),
        call_site_(call_site),
        sanitizer_frame_(call_site) {
    // The outer call is valid only if there is one.
    // NOLINTNEXTLINE(clang-analyzer-optin.cplusplus.UninitializedObject)
    if (__builtin_expect(record_ == nullptr, 0)) return;
    contract::Call& call = record_->call;
    if (__builtin_expect(call.function.load(std::memory_order_relaxed) != 0, 0)) {
      put_aside(call, outer_, reinterpret_cast<uint64_t>(__builtin_dwarf_cfa()));
      outer_.pauses = record_->pauses.load(std::memory_order_relaxed);
    }
    unsigned i = 0;
    ((i < contract::kArguments ? void(call.arguments[i++] = as_word(arguments)) : void()), ...);
    call.call_site = call_site;
    capture_context(call.context);
    pauses_ = record_->pauses.load(std::memory_order_relaxed);
    is_timed_ = is_always_timed(function) || record_->sites.load(std::memory_order_relaxed) != 0;
    entered_ = is_timed_ ? ticks() : call.entered.load(std::memory_order_relaxed) + 1;
    call.entered.store(entered_, std::memory_order_relaxed);
    call.function.store(static_cast<uint32_t>(function), std::memory_order_release);
  }

  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  TAILBACK_INLINE ~CallScope() {
    if (__builtin_expect(record_ == nullptr, 0)) return;
    contract::Call& call = record_->call;
    if (is_timed_ && record_->sites.load(std::memory_order_relaxed) != 0) {
      const uint64_t now = ticks();
      // Each call within this one has moved the entry on by its own time.
      const uint64_t duration = now - call.entered.load(std::memory_order_relaxed);
      outer_.entered += now - entered_;
      if (duration > segment->header.short_call_ticks.load(std::memory_order_relaxed)) {
        account_call(*record_, function_, call_site_,
                     reinterpret_cast<uint64_t>(__builtin_dwarf_cfa()), duration, own_site_);
      }
    }
    if (__builtin_expect(outer_.function != 0, 0)) {
      put_back(call, outer_);
      // What cut the inner calls short does not concern the outer one.
      record_->pauses.store(outer_.pauses, std::memory_order_relaxed);
    } else {
      call.function.store(0, std::memory_order_release);
    }
  }

  // Whether a pause interrupted a failed call, so that the interceptor has to make it again and the
  // program never sees the EINTR. Each interruption counts once: the next one may be the program's
  // own.
  template <typename Result>
  TAILBACK_INLINE bool interrupted_by_pause(Result result) {
    if (__builtin_expect(result != static_cast<Result>(-1), 1)) return false;
    return errno == EINTR && cut_short_by_pause();
  }
  // The same for calls that don't say so by errno.
  TAILBACK_INLINE bool cut_short_by_pause() {
    if (!record_) return false;
    const uint32_t pauses = record_->pauses.load(std::memory_order_relaxed);
    if (pauses == pauses_) return false;
    pauses_ = pauses;
    return true;
  }

  TAILBACK_INLINE contract::ThreadRecord* record() const { return record_; }
  TAILBACK_INLINE uint64_t entered() const { return entered_; }
  // Whether entered() is a tick.
  TAILBACK_INLINE bool is_timed() const { return is_timed_; }

  // The wait site that this call is a wait of: its time is no contribution to that site's
  // iteration.
  TAILBACK_INLINE void set_own_site(const contract::WaitSite* site) { own_site_ = site; }

  // After fork in the child: the record is the parent's, leave it alone.
  TAILBACK_INLINE void abandon() { record_ = nullptr; }

 private:
  contract::ThreadRecord* record_;
  Function function_;
  uint64_t call_site_;
  SanitizerFrame sanitizer_frame_;
  const contract::WaitSite* own_site_ = nullptr;
  uint64_t entered_ = 0;
  bool is_timed_ = false;
  uint32_t pauses_ = 0;
  OuterCall outer_;
};

// Makes the call again for as long as pauses interrupt it. Some lock operations report errors by
// value: -1 is not among their results, so the check costs one comparison.
template <typename Result, typename Next>
TAILBACK_INLINE Result call_through_pauses(CallScope& scope, Next call) {
  Result result = call();
  while (__builtin_expect(scope.interrupted_by_pause(result), 0)) result = call();
  return result;
}

}  // namespace tailback
