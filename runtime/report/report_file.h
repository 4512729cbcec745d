// A file, pipe or terminal that reports are written to. A full disk or a reader that has gone away
// does not end the session: what can't be written is kept, up to a limit, and tried again with the
// next piece; what is over the limit is counted as lost.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tailback {

// The file can't be opened. what() is one line that names the file, the reason and the cure.
class ReportFileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Not thread-safe.
class ReportFile {
 public:
  static constexpr size_t kPendingBytes = size_t{4} << 20;

  // Where trouble is said, one line without its newline at a time.
  using Complain = std::function<void(std::string_view)>;

  // Creates the file, or empties it; "-" is standard output. Throws ReportFileError.
  explicit ReportFile(const std::string& path, Complain complain = say_on_standard_error);
  // Writes to an open descriptor and leaves it open in the end.
  ReportFile(int descriptor, std::string name, Complain complain = say_on_standard_error);
  // Tries what is pending once more, waiting two seconds at most, and says what is lost.
  ~ReportFile();
  ReportFile(const ReportFile&) = delete;
  ReportFile& operator=(const ReportFile&) = delete;

  // Writes one piece, which ends in a newline, with one write(2). Does not throw and does not
  // raise SIGPIPE.
  void append(std::string_view piece);

  uint64_t failed_writes() const { return failed_writes_; }
  uint64_t lost_pieces() const { return lost_pieces_; }
  bool is_terminal() const;

  static void say_on_standard_error(std::string_view line);

 private:
  enum class Outcome { kDone, kFailed };

  void drain(int wait_milliseconds);
  // Writes from `written` on, which it moves.
  Outcome write_from(std::string_view piece, size_t& written, int wait_milliseconds);
  void keep(std::string_view piece, size_t written);

  int descriptor_ = -1;
  bool owned_ = false;
  std::string name_;
  Complain complain_;

  std::deque<std::string> pending_;  // oldest first
  size_t pending_bytes_ = 0;
  size_t front_written_ = 0;  // bytes of the oldest pending piece that the file already has
  int last_error_ = 0;
  bool complained_ = false;
  bool reader_stuck_ = false;  // a full pipe did not move at the last attempt
  uint64_t failed_writes_ = 0;
  uint64_t lost_pieces_ = 0;
};

}  // namespace tailback
