// Fills in who is to blame for a long iteration: stack, culprit, call, lock and owners.
#pragma once

#include <vector>

#include "runtime/analysis/owner_reader.h"
#include "runtime/analysis/read_samples.h"

namespace tailback {

class Blame {
 public:
  Blame(StackReader& reader, LockNames& names, OwnerReader& owners)
      : reader_(reader), names_(names), owners_(owners) {}

  // The stall's cause and contributors are filled in already. Where no stack was read (`chosen` is
  // nullptr), the caller of the longest call stands for it.
  void assign(int pid, const ReadSample* chosen, Stall& stall);

 private:
  void assign_sample(int pid, const ReadSample& chosen, Stall& stall);
  void assign_longest_call(Stall& stall);

  StackReader& reader_;
  LockNames& names_;
  OwnerReader& owners_;
};

// The fields of a stall that say which iteration of which loop it is.
Stall identity_of(const StallSeen& observation);

}  // namespace tailback
