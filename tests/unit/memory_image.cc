#include "tests/unit/memory_image.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <ostream>
#include <sstream>
#include <stdexcept>

namespace tailback {
namespace {

constexpr size_t kLeastZeros = 6;  // that are worth a count

std::string digits_of(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[static_cast<unsigned>(byte) >> 4];
    text += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return text;
}

std::string digits_of(const std::string& text) {
  return digits_of(std::as_bytes(std::span(text)));
}

unsigned value_of(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10;
  throw std::runtime_error(std::string("not a hexadecimal digit: ") + digit);
}

std::vector<std::byte> bytes_of(std::string_view text) {
  std::vector<std::byte> bytes;
  while (!text.empty()) {
    if (text.front() == '.') {
      size_t zeros = 0;
      const auto parsed = std::from_chars(text.data() + 1, text.data() + text.size(), zeros);
      bytes.resize(bytes.size() + zeros);
      text.remove_prefix(static_cast<size_t>(parsed.ptr - text.data()) + 1);
      continue;
    }
    if (text.size() < 2) throw std::runtime_error("half a byte");
    bytes.push_back(static_cast<std::byte>(value_of(text[0]) << 4 | value_of(text[1])));
    text.remove_prefix(2);
  }
  return bytes;
}

std::string text_of(std::string_view digits) {
  const std::vector<std::byte> bytes = bytes_of(digits);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string packed(std::span<const std::byte> bytes) {
  std::string text;
  while (!bytes.empty()) {
    const auto is_zero = [](std::byte byte) { return byte == std::byte{}; };
    const auto zeros =
        static_cast<size_t>(std::find_if_not(bytes.begin(), bytes.end(), is_zero) - bytes.begin());
    if (zeros >= kLeastZeros) {
      text += "." + std::to_string(zeros) + ".";
      bytes = bytes.subspan(zeros);
      continue;
    }
    const size_t plain = std::max<size_t>(zeros, 1);
    text += digits_of(bytes.first(plain));
    bytes = bytes.subspan(plain);
  }
  return text;
}

}  // namespace

void MemoryImage::read(std::span<Piece> pieces) {
  for (Piece& piece : pieces) {
    piece.done = false;
    auto part = parts_.upper_bound(piece.address.value);
    if (part == parts_.begin()) continue;
    --part;
    const uint64_t offset = piece.address.value - part->first;
    if (offset > part->second.size() || part->second.size() - offset < piece.out.size()) continue;
    std::memcpy(piece.out.data(), part->second.data() + offset, piece.out.size());
    piece.done = true;
  }
}

void MemoryImage::add(RemoteAddress address, std::span<const std::byte> bytes) {
  uint64_t begin = address.value;
  std::vector<std::byte> joined(bytes.begin(), bytes.end());
  // Parts that overlap or touch become one.
  auto part = parts_.upper_bound(begin);
  if (part != parts_.begin() && std::prev(part)->first + std::prev(part)->second.size() >= begin)
    --part;
  while (part != parts_.end() && part->first <= begin + joined.size()) {
    const uint64_t end = std::max(begin + joined.size(), part->first + part->second.size());
    std::vector<std::byte> both(end - std::min(begin, part->first));
    const uint64_t both_begin = std::min(begin, part->first);
    std::copy(joined.begin(), joined.end(),
              both.begin() + static_cast<ptrdiff_t>(begin - both_begin));
    std::copy(part->second.begin(), part->second.end(),
              both.begin() + static_cast<ptrdiff_t>(part->first - both_begin));
    begin = both_begin;
    joined = std::move(both);
    part = parts_.erase(part);
  }
  parts_[begin] = std::move(joined);
}

size_t MemoryImage::size() const {
  size_t size = 0;
  for (const auto& [begin, bytes] : parts_) size += bytes.size();
  return size;
}

void RecordingMemory::read(std::span<Piece> pieces) {
  for (Piece& piece : pieces) {
    // What is read ahead would make up most of an image. Its readers can do without.
    constexpr size_t kReadAhead = 4096;
    piece.done = piece.out.size() < kReadAhead && memory_.read(piece.address, piece.out);
    if (piece.done) image_.add(piece.address, piece.out);
  }
}

PythonImage read_python_image(const std::filesystem::path& path) {
  PythonImage image;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("no file " + path.string());
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "python") {
      char dot = 0;
      PythonInterpreter& python = image.python;
      words >> python.version.major >> dot >> python.version.minor >> std::hex;
      for (RemoteAddress* address : {&python.runtime, &python.code_type, &python.frame_type,
                                     &python.string_type, &python.bytes_type})
        words >> address->value;
    } else if (word == "thread") {
      words >> image.threads.emplace_back().tid;
    } else if (word == "frame" && !image.threads.empty()) {
      InterpretedFrame frame;
      std::string digits;
      words >> frame.line >> digits;
      frame.file = text_of(digits);
      words >> digits;
      frame.function = text_of(digits);
      image.threads.back().frames.push_back(std::move(frame));
    } else if (word == "at") {
      uint64_t address = 0;
      std::string digits;
      words >> std::hex >> address >> digits;
      image.memory.add(RemoteAddress(address), bytes_of(digits));
    }
    if (!words) throw std::runtime_error(path.string() + ": cannot be read: " + line.substr(0, 80));
  }
  return image;
}

void write_python_image(std::ostream& out, PythonImage& image) {
  const PythonInterpreter& python = image.python;
  out << "python " << python.version.major << '.' << python.version.minor << std::hex;
  for (const RemoteAddress address :
       {python.runtime, python.code_type, python.frame_type, python.string_type, python.bytes_type})
    out << ' ' << address.value;
  out << std::dec << '\n';
  for (const PythonImage::Thread& thread : image.threads) {
    out << "thread " << thread.tid << '\n';
    for (const InterpretedFrame& frame : thread.frames)
      out << "frame " << frame.line << ' ' << digits_of(frame.file) << ' '
          << digits_of(frame.function) << '\n';
  }
  for (const auto& [begin, bytes] : image.memory.parts())
    out << "at " << std::hex << begin << std::dec << ' ' << packed(bytes) << '\n';
}

InterpreterStack python_stack_of(RemoteMemory& memory, const PythonInterpreter& found, int tid) {
  InterpreterStack stack;
  PythonInterpreter python = found;
  const auto layout = python_layout(python.version, memory, python.runtime);
  if (!layout) {
    stack.failure = "no layout";
    return stack;
  }
  python.layout = *layout;
  const auto thread = find_python_thread(memory, python, tid);
  if (!thread) {
    stack.failure = "no such thread";
    return stack;
  }
  return decode_python_stack(python, gather_python_stack(memory, python, *thread));
}

}  // namespace tailback
