// Locks and who holds them, for people.
#pragma once

#include <string>

#include "runtime/values/lock.h"

namespace tailback {

// "cache_mutex, a mutex (recursive)", "table_lock, a rwlock (write), held by 3 readers"
std::string lock_text(const Lock& lock);

// ", which is in fsync of /srv/data.aof at flush (store.cc:88)"; empty if nothing is known.
std::string doing_text(const LockOwner& owner);

// "flusher[1235], which is in fsync of /srv/data.aof at flush (store.cc:88)"
std::string owner_text(const LockOwner& owner);

}  // namespace tailback
