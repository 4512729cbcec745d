// The lines of a file that may be compressed with gzip.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace tailback {

// Opening and reading do not throw; error() says what went wrong.
class LineSource {
 public:
  // A recorder of ours writes no line as long; a longer one is stepped over.
  static constexpr size_t kLongestLine = size_t{64} << 20;

  enum class Next {
    kLine,
    kTooLong,  // a line beyond kLongestLine was stepped over; `line` is empty
    kCut,      // the last line, without a newline; may be whole or not
    kEnd,
    kError,  // of opening or reading, or the end of compressed data came too early
  };

  // "-" is standard input. Whether the file is compressed is told from its first bytes.
  explicit LineSource(const std::string& path);
  ~LineSource();
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  Next next(std::string& line);

  // In a few words, without the path. Empty if nothing went wrong.
  const std::string& error() const { return error_; }
  // The error is that compressed data ends early, as after a crash.
  bool ended_early() const { return ended_early_; }

 private:
  bool fill();
  void take_error();

  struct Handle;
  std::unique_ptr<Handle> handle_;
  std::string buffer_;
  size_t position_ = 0;
  bool ended_early_ = false;
  std::string error_;
};

}  // namespace tailback
