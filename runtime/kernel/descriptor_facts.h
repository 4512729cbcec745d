// What a descriptor of a target stands for, as a plain value.
#pragma once

#include <string>

namespace tailback {

enum class DescriptorKind {
  kUnknown,  // closed, or not to be read
  kFile,
  kDirectory,
  kDevice,
  kTerminal,
  kPipe,  // pipes and FIFOs
  kSocket,
  kEpoll,
  kEvent,    // eventfd, timerfd, signalfd, inotify: something that reports events
  kProcess,  // a pidfd
};

struct DescriptorFacts {
  DescriptorKind kind = DescriptorKind::kUnknown;
  // For people: the path; "tcp 127.0.0.1:40312 → 127.0.0.1:6379"; "unix /run/x.sock"; "pipe".
  std::string text;
  int process = 0;  // that a pidfd stands for, if it is still there
};

}  // namespace tailback
