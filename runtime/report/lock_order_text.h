// Orders of locks in words.
#pragma once

#include <string>

#include "runtime/report/text_style.h"
#include "runtime/values/lock_order.h"

namespace tailback {

// "cache_mutex (mutex)", "0x55d0c2a1f2a0 (rwlock, initialised in make_store (store.cc:12))"
std::string lock_text(const OrderedLock& lock);

// "accounts and journal, in transfer (bank.cc:12) and audit (bank.cc:30)"
std::string lock_order_what(const LockOrder& order);

// All that is known, over several lines.
std::string full_lock_order_text(const LockOrder& order, const TextStyle& style);

}  // namespace tailback
