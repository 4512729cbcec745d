// What a target's descriptor stands for, read while the call that uses it is in progress: a number
// may mean something else a moment later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/kernel/descriptor_facts.h"

namespace tailback {

DescriptorFacts describe_descriptor(int pid, int fd);

// The inode of the file that a descriptor is open on. Never waits for the file system.
std::optional<uint64_t> file_inode(int pid, int fd);

// A path as the target sees it, in its root; a relative one begins at the descriptor `dirfd`, or,
// if that is AT_FDCWD, at its working directory. Tells whether it is a FIFO, a device, … Never
// waits for the file system: what the kernel has not at hand is unknown.
DescriptorKind path_kind(int pid, int dirfd, const std::string& path);

}  // namespace tailback
