// A call in progress, from entry to return: an RAII scope around the next definition.
#pragma once

#include <errno.h>

#include <type_traits>

#include "instrument/contract/intercepts.h"
#include "instrument/recorder/sanitizer_frame.h"
#include "instrument/recorder/thread_state.h"

namespace tailback {

using intercept::Function;

// A call put aside while a signal handler's own call is in progress, as plain words.
struct OuterCall {
  uint32_t function = 0;
  uint32_t holds;
  uint64_t entered = 0;
  uint64_t arguments[contract::kArguments];
  uint64_t call_site;
  contract::Context context;
};

// Puts the record's call aside if its frame still lives, that is if it lies beyond `frame_end`, the
// outer end of the new call's own frame. What a longjmp or a cancelled thread left behind is
// dropped.
void put_aside(contract::Call& call, OuterCall& outer, uint64_t frame_end);
void put_back(contract::Call& call, const OuterCall& outer);

// Adds the time of a call to the sums of the iterations in progress. [recorder's slow half: only
// for threads that wait for events, and calls that took a while]
void account_call(contract::ThreadRecord& record, Function function, uint64_t call_site,
                  uint64_t duration, const contract::WaitSite* own_site);

template <typename T>
TAILBACK_INLINE uint64_t as_word(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<uint64_t>(value);
  } else {
    return static_cast<uint64_t>(value);
  }
}

// Reading the clock is the dearest part of a scope. Waits for events and for locks take long
// enough; other calls are timed only on threads that wait for events.
constexpr bool is_always_timed(Function function) {
  const intercept::Family family = intercept::kFunctions[static_cast<uint32_t>(function)].family;
  return family == intercept::Family::kEvents || family == intercept::Family::kLock;
}

// Where the function that this is written in returns to.
#define CALL_SITE (reinterpret_cast<uint64_t>(__builtin_return_address(0)))

// The same, looked up only where it is read: in the interceptor itself, or what is inlined there.
struct CallSite {
  TAILBACK_INLINE operator uint64_t() const { return CALL_SITE; }
};

class CallScope {
 public:
  // Must be expanded in the interceptor itself, whose frame stays in place: the registers are
  // taken here. `call_site` is where the interceptor returns to: CALL_SITE.
  template <typename... Arguments>
  TAILBACK_INLINE explicit CallScope(uint64_t call_site, Function function, Arguments... arguments)
      : record_(current_record()),
        function_(function),
        call_site_(call_site),
        sanitizer_frame_(call_site) {
    if (__builtin_expect(record_ == nullptr, 0)) return;
    contract::Call& call = record_->call;
    if (__builtin_expect(call.function.load(std::memory_order_relaxed) != 0, 0)) {
      put_aside(call, outer_, reinterpret_cast<uint64_t>(__builtin_dwarf_cfa()));
      outer_.holds = record_->holds.load(std::memory_order_relaxed);
    }
    unsigned i = 0;
    ((i < contract::kArguments ? void(call.arguments[i++] = as_word(arguments)) : void()), ...);
    call.call_site = call_site;
    capture_context(call.context);
    holds_ = record_->holds.load(std::memory_order_relaxed);
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
      // What was called within this call has moved its entry on by its own time.
      const uint64_t duration = now - call.entered.load(std::memory_order_relaxed);
      outer_.entered += now - entered_;
      if (duration > segment->header.short_call_ticks.load(std::memory_order_relaxed)) {
        account_call(*record_, function_, call_site_, duration, own_site_);
      }
    }
    if (__builtin_expect(outer_.function != 0, 0)) {
      put_back(call, outer_);
      // What cut the inner calls short has nothing to do with the outer one.
      record_->holds.store(outer_.holds, std::memory_order_relaxed);
    } else {
      call.function.store(0, std::memory_order_release);
    }
  }

  // Whether a failed call was interrupted by a hold of ours, so that it has to be made again and
  // the program never learns of it. Each interruption counts once: the next one may be the
  // program's own.
  template <typename Result>
  TAILBACK_INLINE bool interrupted_by_pause(Result result) {
    if (__builtin_expect(result != static_cast<Result>(-1), 1)) return false;
    return errno == EINTR && cut_short_by_pause();
  }
  // The same for calls that don't say so by errno.
  TAILBACK_INLINE bool cut_short_by_pause() {
    if (!record_) return false;
    const uint32_t holds = record_->holds.load(std::memory_order_relaxed);
    if (holds == holds_) return false;
    holds_ = holds;
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
  uint32_t holds_ = 0;
  OuterCall outer_;
};

}  // namespace tailback
