// The session's shared segment, as the observer holds it: an anonymous file, sealed against being
// shortened, that targets open through /proc/<observer>/fd and map.
#pragma once

#include <stdexcept>
#include <string>

#include "instrument/contract/record_contract.h"

namespace tailback {

// what() is one line: what failed, where, and the cure if there is one.
struct SessionError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Session {
 public:
  // Makes a new segment. Throws SessionError.
  static Session create();
  // Maps the segment that a recorder made (a bare preload). Throws SessionError if the file is not
  // a segment of this version.
  static Session open(const std::string& path);

  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  ~Session();

  // What targets find in TAILBACK_SESSION.
  const std::string& path() const { return path_; }
  contract::Segment& segment() const { return *segment_; }

 private:
  Session(int fd, contract::Segment* segment, std::string path)
      : fd_(fd), segment_(segment), path_(std::move(path)) {}

  int fd_ = -1;
  contract::Segment* segment_ = nullptr;
  std::string path_;
};

}  // namespace tailback
