// What a target's socket is called.
#pragma once

#include <cstdint>
#include <string>

namespace tailback {

// For people: "tcp 127.0.0.1:40312 → 127.0.0.1:6379", "tcp 0.0.0.0:80 (listening)",
// "unix /run/x.sock"; "socket" if no more is known. Asks the socket itself where that is allowed,
// which is a matter of microseconds; else the kernel's tables, of which each takes milliseconds.
std::string socket_text(int pid, int fd, uint64_t inode);

// An internet or unix address in the form in which programs pass it to connect(). Empty if it makes
// no sense.
std::string socket_address_text(const void* address, unsigned length);

}  // namespace tailback
