// Who holds the lock that a stall waits for, and what the owners do.
#pragma once

#include "runtime/analysis/lock_names.h"
#include "runtime/sampling/stack_reader.h"
#include "runtime/values/stall.h"

namespace tailback {

class OwnerReader {
 public:
  OwnerReader(StackReader& reader, LockNames& names) : reader_(reader), names_(names) {}

  // Fills in the lock that the stall's call waits for and its owners, from the sample that stands
  // for the stall. Its call and its stack are filled in already.
  void add_owners(int pid, const Sample& sample, Stall& stall);

  // A thread for whose end another waits.
  LockOwner thread_of(const OwnerSample& sampled);

 private:
  void add_sample(const OwnerSample& sampled, LockOwner& owner);
  LockOwner owner_of(const Sample& waiter, int waiter_pid, const OwnerSample& sampled);
  static void name_first_owner(const Sample& sample, Stall& stall);
  static void explain_missing_owner(const Sample& sample, Stall& stall);

  StackReader& reader_;
  LockNames& names_;
};

}  // namespace tailback
