// Advice that names locks and what their owners do.
#pragma once

#include <string>

#include "runtime/values/deadlock.h"
#include "runtime/values/lock_order.h"
#include "runtime/values/stall.h"

namespace tailback {

// For a stall that waited for a lock: what to move out of the owner's critical section. Empty if
// nothing more than the cause is known.
std::string lock_advice(const Stall& stall);

std::string deadlock_advice(const Deadlock& deadlock);

std::string lock_order_advice(const LockOrder& order);

}  // namespace tailback
