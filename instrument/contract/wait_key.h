// The keys of wait sites (WaitSite::key, Event::key, Event::sibling_key): how they are made and
// what they say. A part of the record contract.
//
//   bit 63  a wait that names no instance (poll, select): the call site, and in bits 48 to 62 for a
//           read the descriptor, else how many waits at this call site it is nested in
//   bit 62  a wait on an epoll or io_uring descriptor: the descriptor in the low 32 bits, and above
//           it a generation, which counts the instances that have had that number
//   bit 61  a wait on an instance in the program's memory (liburing's ring): its address in the low
//           48 bits, and above it a generation, which counts the instances that have ended there
//
// A new instance with an old number or address has another generation: it is another loop.
#pragma once

#include <stdint.h>

#include "instrument/contract/addresses.h"

namespace tailback::contract {

inline constexpr uint64_t kCallSiteKeyBit = uint64_t{1} << 63;
inline constexpr uint64_t kDescriptorKeyBit = uint64_t{1} << 62;
inline constexpr uint64_t kInstanceKeyBit = uint64_t{1} << 61;
inline constexpr uint64_t kDescriptorMask = 0xffffffffu;
inline constexpr uint64_t kReadDescriptorMask = 0x7fff;
inline constexpr uint64_t kMostNesting = 3;
inline constexpr uint64_t kDescriptorGenerationMask = 0x3fffffff;
inline constexpr uint64_t kInstanceGenerationMask = 0x1fff;

// The waits that a thread marks as its loop's own (tailback_wait).
inline constexpr uint64_t kMarkedWaitKey = kCallSiteKeyBit;
// The other waits of a thread that is marked as a loop, by whatever calls they are made. No call
// site has this address.
inline constexpr uint64_t kMarkedLoopKey = kCallSiteKeyBit | 1;

constexpr uint64_t call_site_key(uint64_t call_site) {
  return call_site | kCallSiteKeyBit;
}
constexpr uint64_t read_key(int fd, uint64_t call_site) {
  return call_site_key(call_site) | (static_cast<uint64_t>(fd) & kReadDescriptorMask)
                                        << kAddressBits;
}
// A wait within the iterations of `nesting` other waits at the same call site, kMostNesting at
// most.
constexpr uint64_t nested_call_site_key(uint64_t call_site, uint64_t nesting) {
  return call_site_key(call_site) | nesting << kAddressBits;
}
constexpr uint64_t descriptor_key(int fd, uint64_t generation) {
  return kDescriptorKeyBit | (generation & kDescriptorGenerationMask) << 32 |
         static_cast<uint32_t>(fd);
}
constexpr uint64_t instance_key(uint64_t address, uint64_t generation) {
  return kInstanceKeyBit | (generation & kInstanceGenerationMask) << kAddressBits |
         (address & kAddressMask);
}

constexpr bool is_call_site_key(uint64_t key) {
  return key >> 63 != 0;
}
constexpr bool is_descriptor_key(uint64_t key) {
  return !is_call_site_key(key) && (key & kDescriptorKeyBit) != 0;
}
constexpr bool is_instance_key(uint64_t key) {
  return !is_call_site_key(key) && !is_descriptor_key(key) && (key & kInstanceKeyBit) != 0;
}

// The descriptor of a descriptor_key().
constexpr int descriptor_of_key(uint64_t key) {
  return static_cast<int>(key & kDescriptorMask);
}
// The descriptor of a read_key().
constexpr int read_descriptor_of_key(uint64_t key) {
  return static_cast<int>(key >> kAddressBits & kReadDescriptorMask);
}

// The key without its generation: the same for all instances of one number or address.
constexpr uint64_t place_of_key(uint64_t key) {
  if (is_call_site_key(key)) return key;
  if (key & kDescriptorKeyBit) return kDescriptorKeyBit | (key & kDescriptorMask);
  return kInstanceKeyBit | (key & kAddressMask);
}

}  // namespace tailback::contract
