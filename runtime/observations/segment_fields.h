// The fields of the segment's structs that an observer reads, by name: so a recording of a segment
// survives a change of the layout and of the table of functions.
#pragma once

#include <type_traits>

#include "instrument/contract/record_contract.h"

namespace tailback {

// each_field(f, T*) calls f(name, pointer to member) for each field of T.

template <typename F>
void each_field(F&& f, contract::Context*) {
  using contract::Context;
  f("instruction_pointer", &Context::instruction_pointer);
  f("stack_pointer", &Context::stack_pointer);
  f("saved", &Context::saved);
}

template <typename F>
void each_field(F&& f, contract::Call*) {
  using contract::Call;
  f("function", &Call::function);
  f("generation", &Call::generation);
  f("entered", &Call::entered);
  f("arguments", &Call::arguments);
  f("call_site", &Call::call_site);
  f("context", &Call::context);
}

template <typename F>
void each_field(F&& f, contract::Contributor*) {
  using contract::Contributor;
  f("call_site", &Contributor::call_site);
  f("function", &Contributor::function);
  f("count", &Contributor::count);
  f("total_ticks", &Contributor::total_ticks);
  f("longest_ticks", &Contributor::longest_ticks);
}

template <typename F>
void each_field(F&& f, contract::WaitSite*) {
  using contract::WaitSite;
  f("key", &WaitSite::key);
  f("call_site", &WaitSite::call_site);
  f("stack_pointer", &WaitSite::stack_pointer);
  f("function", &WaitSite::function);
  f("last_ready", &WaitSite::last_ready);
  f("blocking", &WaitSite::blocking);
  f("iteration_begin", &WaitSite::iteration_begin);
  f("iterations", &WaitSite::iterations);
  f("busy_ticks", &WaitSite::busy_ticks);
  f("longest_ticks", &WaitSite::longest_ticks);
  f("first_tick", &WaitSite::first_tick);
  f("other_ticks", &WaitSite::other_ticks);
  f("allowed_ticks", &WaitSite::allowed_ticks);
  f("contributors", &WaitSite::contributors);
  f("histogram", &WaitSite::histogram);
}

template <typename F>
void each_field(F&& f, contract::IdleWait*) {
  using contract::IdleWait;
  f("call_site", &IdleWait::call_site);
  f("stack_pointer", &IdleWait::stack_pointer);
}

template <typename F>
void each_field(F&& f, contract::IterationName*) {
  using contract::IterationName;
  f("tick", &IterationName::tick);
  f("text", &IterationName::text);
}

template <typename F>
void each_field(F&& f, contract::ThreadRecord*) {
  using contract::ThreadRecord;
  f("state", &ThreadRecord::state);
  f("generation", &ThreadRecord::generation);
  f("pid", &ThreadRecord::pid);
  f("tid", &ThreadRecord::tid);
  f("process", &ThreadRecord::process);
  f("sites", &ThreadRecord::sites);
  f("attached", &ThreadRecord::attached);
  f("allowed_since", &ThreadRecord::allowed_since);
  f("mark", &ThreadRecord::mark);
  f("call", &ThreadRecord::call);
  f("read_request", &ThreadRecord::read_request);
  f("requested_call_ticks", &ThreadRecord::requested_call_ticks);
  f("pause_ticks_longest", &ThreadRecord::pause_ticks_longest);
  f("idle_waits", &ThreadRecord::idle_waits);
  f("wait_sites", &ThreadRecord::wait_sites);
}

template <typename F>
void each_field(F&& f, contract::ProcessRecord*) {
  using contract::ProcessRecord;
  f("state", &ProcessRecord::state);
  f("pid", &ProcessRecord::pid);
  f("generation", &ProcessRecord::generation);
  f("pause_ready", &ProcessRecord::pause_ready);
  f("attached", &ProcessRecord::attached);
  f("thread_sanitizer", &ProcessRecord::thread_sanitizer);
  f("sees_frees", &ProcessRecord::sees_frees);
}

template <typename F>
void each_field(F&& f, contract::Event*) {
  using contract::Event;
  f("kind", &Event::kind);
  f("record", &Event::record);
  f("generation", &Event::generation);
  f("pid", &Event::pid);
  f("tid", &Event::tid);
  f("function", &Event::function);
  f("key", &Event::key);
  f("call_site", &Event::call_site);
  f("iteration", &Event::iteration);
  f("begin_tick", &Event::begin_tick);
  f("end_tick", &Event::end_tick);
  f("ready", &Event::ready);
  f("sibling_key", &Event::sibling_key);
  f("sibling_return", &Event::sibling_return);
  f("other_ticks", &Event::other_ticks);
  f("allowed_ticks", &Event::allowed_ticks);
  f("name", &Event::name);
  f("contributors", &Event::contributors);
}

template <typename F>
void each_field(F&& f, contract::RingSlot*) {
  using contract::RingSlot;
  f("sequence", &RingSlot::sequence);
  f("event", &RingSlot::event);
}

template <typename F>
void each_field(F&& f, contract::HeldLock*) {
  using contract::HeldLock;
  f("lock", &HeldLock::lock);
  f("call_site", &HeldLock::call_site);
  f("how", &HeldLock::how);
  f("generation", &HeldLock::generation);
}

template <typename F>
void each_field(F&& f, contract::HeldLocks*) {
  using contract::HeldLocks;
  f("count", &HeldLocks::count);
  f("locks", &HeldLocks::locks);
}

template <typename F>
void each_field(F&& f, contract::SemaphoreUse*) {
  using contract::SemaphoreUse;
  f("key", &SemaphoreUse::key);
  f("taker", &SemaphoreUse::taker);
  f("posted", &SemaphoreUse::posted);
}

template <typename F>
void each_field(F&& f, contract::LockOrigin*) {
  using contract::LockOrigin;
  f("key", &LockOrigin::key);
  f("call_site", &LockOrigin::call_site);
  f("since", &LockOrigin::since);
  f("until", &LockOrigin::until);
}

template <typename F>
void each_field(F&& f, contract::TakenLock*) {
  using contract::TakenLock;
  f("address", &TakenLock::address);
  f("call_site", &TakenLock::call_site);
  f("kind", &TakenLock::kind);
  f("generation", &TakenLock::generation);
}

template <typename F>
void each_field(F&& f, contract::LockEvent*) {
  using contract::LockEvent;
  f("kind", &LockEvent::kind);
  f("record", &LockEvent::record);
  f("generation", &LockEvent::generation);
  f("process", &LockEvent::process);
  f("pid", &LockEvent::pid);
  f("tid", &LockEvent::tid);
  f("tick", &LockEvent::tick);
  f("capture", &LockEvent::capture);
  f("held_count", &LockEvent::held_count);
  f("taken", &LockEvent::taken);
  f("held", &LockEvent::held);
}

template <typename F>
void each_field(F&& f, contract::LockSlot*) {
  using contract::LockSlot;
  f("sequence", &LockSlot::sequence);
  f("event", &LockSlot::event);
}

// Its stack is not recorded, but what unwinding made of it.
template <typename F>
void each_field(F&& f, contract::StackCapture*) {
  using contract::StackCapture;
  f("state", &StackCapture::state);
  f("pid", &StackCapture::pid);
  f("tick", &StackCapture::tick);
  f("stack_begin", &StackCapture::stack_begin);
  f("context", &StackCapture::context);
}

template <typename F>
void each_field(F&& f, contract::ContentionSite*) {
  using contract::ContentionSite;
  f("call_site", &ContentionSite::call_site);
  f("waits", &ContentionSite::waits);
  f("total_ticks", &ContentionSite::total_ticks);
  f("longest_ticks", &ContentionSite::longest_ticks);
}

template <typename F>
void each_field(F&& f, contract::ContendedLock*) {
  using contract::ContendedLock;
  f("state", &ContendedLock::state);
  f("pid", &ContendedLock::pid);
  f("key", &ContendedLock::key);
  f("origin", &ContendedLock::origin);
  f("function", &ContendedLock::function);
  f("process_generation", &ContendedLock::process_generation);
  f("waits", &ContendedLock::waits);
  f("total_ticks", &ContendedLock::total_ticks);
  f("longest_ticks", &ContendedLock::longest_ticks);
  f("hold_ticks", &ContendedLock::hold_ticks);
  f("hold_part_ticks", &ContendedLock::hold_part_ticks);
  f("sites", &ContendedLock::sites);
}

template <typename F>
void each_field(F&& f, contract::Finding*) {
  using contract::Finding;
  f("state", &Finding::state);
  f("pid", &Finding::pid);
  f("tid", &Finding::tid);
  f("kind", &Finding::kind);
  f("process", &Finding::process);
  f("size", &Finding::size);
  f("tick", &Finding::tick);
  f("data", &Finding::data);
}

template <typename F>
void each_field(F&& f, contract::Header*) {
  using contract::Header;
  f("tick_source", &Header::tick_source);
  f("threshold_ticks", &Header::threshold_ticks);
  f("pause_limit_ticks", &Header::pause_limit_ticks);
  f("short_call_ticks", &Header::short_call_ticks);
  f("slow_call_ticks", &Header::slow_call_ticks);
  f("read_request_patience_ticks", &Header::read_request_patience_ticks);
  f("read_requests_missed", &Header::read_requests_missed);
  f("tracked_locks", &Header::tracked_locks);
  f("held_missed", &Header::held_missed);
  f("captures_missed", &Header::captures_missed);
  f("captures_forbidden", &Header::captures_forbidden);
  f("contended_used", &Header::contended_used);
  f("contended_seen", &Header::contended_seen);
  f("contended_missed", &Header::contended_missed);
  f("findings_published", &Header::findings_published);
  f("findings_missed", &Header::findings_missed);
  f("threads_used", &Header::threads_used);
  f("threads_attached", &Header::threads_attached);
  f("threads_missed", &Header::threads_missed);
  f("processes_used", &Header::processes_used);
  f("processes_missed", &Header::processes_missed);
  f("ring_head", &Header::ring_head);
  f("ring_dropped", &Header::ring_dropped);
  f("ring_tail", &Header::ring_tail);
  f("lock_ring_head", &Header::lock_ring_head);
  f("lock_ring_dropped", &Header::lock_ring_dropped);
  f("lock_ring_tail", &Header::lock_ring_tail);
}

template <typename T>
concept Described = requires(T* one) {
  each_field([](auto...) {}, one);
};

}  // namespace tailback
