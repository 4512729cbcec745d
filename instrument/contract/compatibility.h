// Whether a segment was made by a build that this one can work with. Both worlds ask before they
// read any more of it, and refuse what is not the same.
#pragma once

#include "instrument/contract/record_contract.h"
#include "instrument/contract/table_hash.h"

namespace tailback::contract {

enum class Compatibility {
  kSame,
  kNoSegment,     // the file is none of Tailback's, or is not complete
  kOtherVersion,  // another version of the record contract
  kOtherTable,    // another intercept table
};

// Reads nothing beyond SegmentIdentity. `file_size`: of the segment's file.
inline Compatibility compatibility_of(const SegmentIdentity& identity, uint64_t file_size) {
  if (identity.magic.load(std::memory_order_acquire) != kMagic) return Compatibility::kNoSegment;
  if (identity.version != kVersion) return Compatibility::kOtherVersion;
  if (file_size != sizeof(Segment)) return Compatibility::kOtherVersion;
  return identity.table_hash == kTableHash ? Compatibility::kSame : Compatibility::kOtherTable;
}

// For the creator of a segment, before it stores the magic.
inline void identify(SegmentIdentity& identity) {
  identity.version = kVersion;
  identity.segment_size = sizeof(Segment);
  identity.table_hash = kTableHash;
}

}  // namespace tailback::contract
