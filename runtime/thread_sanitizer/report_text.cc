#include "runtime/thread_sanitizer/report_text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace tailback {

using contract::BlockKind;

namespace {

constexpr size_t kMostLine = 16 * 1024;
constexpr size_t kMostParts = 256;
constexpr size_t kMostFrames = 1024;  // of a stack; ThreadSanitizer keeps 256
constexpr size_t kMostReady = 1024;

// A line that is read from its beginning. Nothing is taken of what does not fit.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool skip(std::string_view words) {
    if (!text_.starts_with(words)) return false;
    text_.remove_prefix(words.size());
    return true;
  }
  template <typename Number>
  std::optional<Number> number(int base = 10) {
    Number value{};
    const auto [end, error] =
        std::from_chars(text_.data(), text_.data() + text_.size(), value, base);
    if (error != std::errc()) return std::nullopt;
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return value;
  }
  std::optional<uint64_t> address() { return skip("0x") ? number<uint64_t>(16) : std::nullopt; }
  // "main thread", "thread T3".
  std::optional<int> thread() {
    if (skip("main thread")) return 0;
    return skip("thread T") ? number<int>() : std::nullopt;
  }
  // What stands between quotes; it may hold some itself.
  std::string quoted_text(std::string_view end) {
    const size_t at = text_.find(end);
    if (!text_.starts_with("'") || at == std::string_view::npos || at == 0) return {};
    std::string words(text_.substr(1, at - 1));
    text_.remove_prefix(at + 1);
    return words;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

// The words of a report's heading, and what the same is called in the report in memory.
struct Kind {
  std::string_view words;
  std::string_view name;
};
constexpr Kind kKinds[] = {
    {"data race on vptr (ctor/dtor vs virtual call)", "data-race-vptr"},
    {"data race", "data-race"},
    {"race on external object", "external-race"},
    {"heap-use-after-free (virtual call vs free)", "heap-use-after-free-vptr"},
    {"heap-use-after-free", "heap-use-after-free"},
    {"use-after-free of external object", "external-use-after-free"},
    {"thread leak", "thread-leak"},
    {"destroy of a locked mutex", "locked-mutex-destroy"},
    {"double lock of a mutex", "mutex-double-lock"},
    {"use of an invalid mutex (e.g. uninitialized or destroyed)", "mutex-invalid-access"},
    {"unlock of an unlocked mutex (or by a wrong thread)", "mutex-bad-unlock"},
    {"read lock of a write locked mutex", "mutex-bad-read-lock"},
    {"read unlock of a write locked mutex", "mutex-bad-read-unlock"},
    {"signal-unsafe call inside of a signal", "signal-unsafe-call"},
    {"signal handler spoils errno", "errno-in-signal-handler"},
    {"lock-order-inversion (potential deadlock)", "lock-order-inversion"},
};

std::string kind_of(std::string_view words) {
  for (const Kind& kind : kKinds) {
    if (words == kind.words) return std::string(kind.name);
  }
  std::string name(words.substr(0, 64));
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

// "FILE:LINE:COLUMN", "FILE:LINE". False: it is no such place.
bool read_place(std::string_view words, Frame& frame) {
  int numbers[2] = {0, 0};
  int count = 0;
  while (count < 2) {
    const size_t colon = words.rfind(':');
    if (colon == std::string_view::npos || colon + 1 == words.size()) break;
    Reader reader(words.substr(colon + 1));
    const auto number = reader.number<int>();
    if (!number || !reader.rest().empty()) break;
    numbers[count++] = *number;
    words = words.substr(0, colon);
  }
  if (count == 0 || words.empty()) return false;
  frame.file = words;
  frame.line = numbers[count - 1];  // the column, if there is one, stands behind it
  return true;
}

// "FUNCTION FILE:LINE", where both may hold spaces.
void read_function_and_place(std::string_view words, Frame& frame) {
  for (const std::string_view separator : {std::string_view(" /"), std::string_view(" ")}) {
    const size_t at = words.rfind(separator);
    if (at == std::string_view::npos || !read_place(words.substr(at + 1), frame)) continue;
    frame.function = words.substr(0, at);
    return;
  }
  // "<null>", or the name of an object file.
  frame.function = words.substr(0, words.rfind(' '));
}

// "FUNCTION PLACE (MODULE+0xOFFSET) (BuildId: …)"
std::optional<Frame> read_frame(std::string_view words) {
  if (const size_t id = words.rfind(" (BuildId: "); id != std::string_view::npos) {
    words = words.substr(0, id);
  }
  if (!words.ends_with(')')) return std::nullopt;
  const size_t open = words.rfind(" (");
  const size_t plus = words.rfind("+0x");
  if (open == std::string_view::npos) return std::nullopt;
  Frame frame;
  const bool in_module = plus != std::string_view::npos && plus > open;
  if (in_module) frame.module = words.substr(open + 2, plus - open - 2);
  Reader offset(words.substr(in_module ? plus + 1 : open + 2));
  frame.offset = offset.address().value_or(0);
  read_function_and_place(words.substr(0, open), frame);
  if (frame.function == "<null>") frame.function.clear();
  return frame;
}

// As with the option color=always.
std::string without_colors(std::string_view line) {
  std::string plain;
  for (size_t begin = 0; begin < line.size();) {
    const size_t escape = std::min(line.find("\x1b[", begin), line.size());
    plain += line.substr(begin, escape - begin);
    const size_t end = line.find('m', escape);
    begin = end == std::string_view::npos ? line.size() : end + 1;
  }
  return plain;
}

std::string_view without_spaces(std::string_view line) {
  const size_t begin = line.find_first_not_of(' ');
  return begin == std::string_view::npos ? std::string_view() : line.substr(begin);
}

}  // namespace

void ReportText::add(std::string_view more) {
  while (!more.empty()) {
    const size_t end = more.find('\n');
    const std::string_view piece = more.substr(0, end);
    is_too_long_ |= rest_.size() + piece.size() > kMostLine;
    if (!is_too_long_) rest_ += piece;
    if (end == std::string_view::npos) return;
    if (!is_too_long_) take_line(rest_);
    rest_.clear();
    is_too_long_ = false;
    more.remove_prefix(end + 1);
  }
}

void ReportText::finish() {
  add("\n");
  end_report();
}

std::optional<TextReport> ReportText::next() {
  if (ready_.empty()) return std::nullopt;
  TextReport report = std::move(ready_.front());
  ready_.pop_front();
  return report;
}

void ReportText::take_line(std::string_view colored) {
  const std::string plain = without_colors(colored);
  const std::string_view line = plain;
  if (line.starts_with("WARNING: ThreadSanitizer: ")) {
    begin_report(line);
  } else if (line.starts_with("==================")) {
    end_report();
  } else if (report_) {
    const std::string_view words = without_spaces(line);
    if (words.starts_with('#')) {
      take_frame(words);
    } else if (!words.empty()) {
      part_.reset();
      take_heading(words);
    }
  }
}

void ReportText::begin_report(std::string_view line) {
  end_report();
  line.remove_prefix(std::string_view("WARNING: ThreadSanitizer: ").size());
  const size_t pid = line.rfind(" (pid=");
  if (pid == std::string_view::npos) return;
  Reader reader(line.substr(pid + 6));
  report_.emplace();
  report_->pid = reader.number<int>().value_or(0);
  part_.reset();
  uses_main_thread_ = false;
  FindingPart part;
  part.kind = BlockKind::kReport;
  part.text = kind_of(line.substr(0, pid));
  report_->parts.push_back(std::move(part));
}

void ReportText::end_report() {
  if (!report_) return;
  if (uses_main_thread_) {
    FindingPart main;
    main.kind = BlockKind::kThread;
    main.number = report_->pid;
    main.flags = contract::kRunning;
    report_->parts.push_back(std::move(main));
  }
  if (report_->parts.size() > 1 && ready_.size() < kMostReady) {
    ready_.push_back(std::move(*report_));
  }
  report_.reset();
}

FindingPart& ReportText::begin_part(BlockKind kind) {
  // Beyond the bound the last one is written over.
  if (report_->parts.size() >= kMostParts) report_->parts.pop_back();
  FindingPart part;
  part.kind = kind;
  report_->parts.push_back(std::move(part));
  part_ = report_->parts.size() - 1;
  return report_->parts.back();
}

void ReportText::use_main_thread() {
  uses_main_thread_ = true;
}

void ReportText::take_heading(std::string_view line) {
  if (line.starts_with("Location is ")) {
    take_location(line);
  } else if (line.starts_with("Thread T")) {
    take_thread(line);
  } else if (line.starts_with("Mutex M")) {
    take_mutex(line);
  } else if (line.starts_with("Cycle in lock order graph: ")) {
    take_cycle(line);
  } else if (line.starts_with("As if synchronized via sleep")) {
    begin_part(BlockKind::kSleep);
  } else if (line == "and:") {
    begin_part(BlockKind::kStack);
  } else {
    take_access(line);
  }
}

// "Previous atomic write of size 4 at 0x7f00 by thread T1 (mutexes: write M9):"
void ReportText::take_access(std::string_view line) {
  Reader reader(line);
  reader.skip("Previous ");
  uint32_t flags = 0;
  if (reader.skip("Atomic ") || reader.skip("atomic ")) flags |= contract::kAtomic;
  if (reader.skip("Write") || reader.skip("write")) {
    flags |= contract::kWrite;
  } else if (!reader.skip("Read") && !reader.skip("read")) {
    return;
  }
  if (!reader.skip(" of size ")) return;
  const auto size = reader.number<uint64_t>();
  if (!size || !reader.skip(" at ")) return;
  const auto address = reader.address();
  if (!address || !reader.skip(" by ")) return;
  const auto thread = reader.thread();
  if (!thread) return;
  if (*thread == 0) use_main_thread();
  FindingPart& part = begin_part(BlockKind::kAccess);
  part.flags = flags;
  part.size = *size;
  part.address = *address;
  part.thread = *thread;
}

// "Location is global 'counter' of size 4 at 0x5500 (program+0x3063aac)"
// "Location is heap block of size 40 at 0x7b00 allocated by main thread:"
// "Location is stack of thread T1.", "… TLS of main thread.", "… file descriptor 4 created by …"
void ReportText::take_location(std::string_view line) {
  Reader reader(line);
  reader.skip("Location is ");
  FindingPart location;
  location.kind = BlockKind::kLocation;
  std::optional<int> thread;
  if (reader.skip("global ")) {
    location.text = "global";
    location.name = reader.quoted_text("' of size ");
    if (location.name.empty()) location.name = reader.quoted_text("' at ");
    // Memory that is no variable.
    if (location.name.empty() || location.name == "<null>" || location.name == "??") return;
    if (reader.skip(" of size ")) location.size = reader.number<uint64_t>().value_or(0);
    if (reader.skip(" at ")) location.address = reader.address().value_or(0);
  } else if (reader.skip("heap block of size ")) {
    location.text = "heap";
    location.size = reader.number<uint64_t>().value_or(0);
    if (reader.skip(" at ")) location.start = reader.address().value_or(0);
    if (reader.skip(" allocated by ")) thread = reader.thread();
  } else if (reader.skip("stack of ")) {
    location.text = "stack";
    thread = reader.thread();
  } else if (reader.skip("TLS of ")) {
    location.text = "tls";
    thread = reader.thread();
  } else if (reader.skip("file descriptor ")) {
    location.text = "fd";
    location.number = reader.number<int>().value_or(-1);
    if (reader.skip(" created by ") || reader.skip(" destroyed by ")) thread = reader.thread();
  } else {
    return;
  }
  if (location.text != "global" && thread == 0) use_main_thread();
  location.thread = thread.value_or(-1);
  begin_part(BlockKind::kLocation) = std::move(location);
}

// "Thread T1 'racer' (tid=8165, running) created by main thread at:"
void ReportText::take_thread(std::string_view line) {
  Reader reader(line);
  reader.skip("Thread T");
  const auto id = reader.number<int>();
  if (!id) return;
  FindingPart thread;
  thread.kind = BlockKind::kThread;
  thread.thread = *id;
  thread.parent = -1;
  reader.skip(" ");
  thread.text = reader.quoted_text("' (tid=");
  reader.skip(" ");
  if (reader.skip("(tid=")) thread.number = reader.number<int>().value_or(0);
  if (reader.skip(", running)")) {
    thread.flags = contract::kRunning;
  } else {
    reader.skip(", finished)");
  }
  if (reader.skip(" created by ")) {
    const auto parent = reader.thread();
    thread.parent = parent.value_or(-1);
    if (parent == 0) use_main_thread();
  }
  begin_part(BlockKind::kThread) = std::move(thread);
}

// "Mutex M9 (0x5500) created at:", "Mutex M9 is already destroyed."
// "Mutex M10 acquired here while holding mutex M9 in thread T1:"
// "Mutex M9 previously acquired by the same thread here:"
void ReportText::take_mutex(std::string_view line) {
  Reader reader(line);
  reader.skip("Mutex M");
  const auto id = reader.number<int64_t>();
  if (!id) return;
  if (reader.skip(" acquired here while holding mutex M")) {
    reader.number<int64_t>();
    if (reader.skip(" in ")) {
      const auto thread = reader.thread();
      if (thread == 0) use_main_thread();
      begin_part(BlockKind::kThreadUsed).thread = thread.value_or(-1);
    }
    begin_part(BlockKind::kStack);
    return;
  }
  if (reader.skip(" previously acquired by the same thread")) {
    begin_part(BlockKind::kStack);
    return;
  }
  const auto known =
      std::find_if(report_->parts.begin(), report_->parts.end(), [&](const FindingPart& part) {
        return part.kind == BlockKind::kMutex && part.number == *id;
      });
  FindingPart* mutex = nullptr;
  if (known != report_->parts.end()) {
    mutex = &*known;
    part_ = static_cast<size_t>(known - report_->parts.begin());
  } else {
    mutex = &begin_part(BlockKind::kMutex);
    mutex->number = *id;
  }
  if (reader.skip(" (")) mutex->address = reader.address().value_or(0);
  if (reader.rest().find("destroyed") != std::string_view::npos) {
    mutex->flags |= contract::kDestroyed;
  }
}

// "Cycle in lock order graph: M9 (0x5500) => M10 (0x5540) => M9"
void ReportText::take_cycle(std::string_view line) {
  Reader reader(line);
  reader.skip("Cycle in lock order graph: ");
  while (reader.skip("M")) {
    const auto id = reader.number<int64_t>();
    if (!id || !reader.skip(" (")) break;  // the first one again
    FindingPart& mutex = begin_part(BlockKind::kMutex);
    mutex.number = *id;
    mutex.address = reader.address().value_or(0);
    reader.skip(")");
    reader.skip(" => ");
  }
  part_.reset();
}

void ReportText::take_frame(std::string_view line) {
  Reader reader(line);
  reader.skip("#");
  if (!reader.number<int>() || !reader.skip(" ")) return;
  // Of reports that are nothing but a stack.
  if (!part_) begin_part(BlockKind::kStack);
  std::vector<Frame>& told = report_->parts[*part_].told;
  if (told.size() >= kMostFrames) return;
  if (auto frame = read_frame(reader.rest())) told.push_back(std::move(*frame));
}

}  // namespace tailback
