// Addresses without randomness, for programs whose runtime expects its memory at fixed places.
#pragma once

#include <optional>
#include <string>

namespace tailback {

inline constexpr char kRandomBitsFile[] = "/proc/sys/vm/mmap_rnd_bits";

// How many bits of the addresses of mappings are random. Nothing: the kernel does not tell.
std::optional<int> random_bits(const std::string& file = kRandomBitsFile);

// With more, gcc's and clang's older runtimes of ThreadSanitizer find memory mapped where they
// can't have it, and end the process before its main().
inline constexpr int kThreadSanitizerRandomBits = 28;

// Whether this process may have its children start without randomness. A container's rules may
// forbid it.
bool can_fix_addresses();

// In the process that is going to execute a program: its addresses, and those of what it starts,
// will be the same each time. False: not allowed.
bool fix_addresses();

}  // namespace tailback
