#include "runtime/report/line_source.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace tailback {
namespace {

constexpr unsigned kBlockBytes = 1U << 17;

}  // namespace

struct LineSource::Handle {
  gzFile file;  // reads plain files as they are

  explicit Handle(gzFile f) : file(f) { gzbuffer(file, kBlockBytes); }
  ~Handle() { gzclose_r(file); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

LineSource::LineSource(const std::string& path) {
  const int descriptor = path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                     : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) {
    error_ = std::strerror(errno);
    return;
  }
  const gzFile file = gzdopen(descriptor, "rb");
  if (file == nullptr) {
    ::close(descriptor);
    error_ = std::strerror(ENOMEM);
    return;
  }
  handle_ = std::make_unique<Handle>(file);
}

LineSource::~LineSource() = default;

LineSource::Next LineSource::next(std::string& line) {
  line.clear();
  bool too_long = false;
  for (;;) {
    const std::string_view rest = std::string_view(buffer_).substr(position_);
    const size_t newline = rest.find('\n');
    const size_t length = newline == std::string_view::npos ? rest.size() : newline;
    if (!too_long && line.size() + length > kLongestLine) {
      too_long = true;
      line = std::string();
    }
    if (!too_long) line += rest.substr(0, length);
    if (newline != std::string_view::npos) {
      position_ += length + 1;
      return too_long ? Next::kTooLong : Next::kLine;
    }
    if (!fill()) {
      if (too_long) return Next::kTooLong;
      // What was read before the error is the caller's; the error comes with the next call.
      if (!line.empty()) return Next::kCut;
      return error_.empty() ? Next::kEnd : Next::kError;
    }
  }
}

bool LineSource::fill() {
  position_ = 0;
  buffer_.clear();
  if (!handle_ || !error_.empty()) return false;
  buffer_.resize(kBlockBytes);
  const int count = gzread(handle_->file, buffer_.data(), kBlockBytes);
  buffer_.resize(count > 0 ? static_cast<size_t>(count) : 0);
  // At the end of a file that was cut, gzread gives what there is and only gzerror tells.
  if (count < static_cast<int>(kBlockBytes)) take_error();
  return count > 0;
}

void LineSource::take_error() {
  int code = Z_OK;
  const char* const message = gzerror(handle_->file, &code);
  if (code == Z_OK || code == Z_STREAM_END) return;
  ended_early_ = code == Z_BUF_ERROR;
  error_ = ended_early_         ? "its compressed data ends early"
           : code == Z_ERRNO    ? std::strerror(errno)
           : message == nullptr ? "its compressed data is damaged"
                                : std::string("its compressed data is damaged: ") + message;
}

}  // namespace tailback
