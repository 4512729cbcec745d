#include "tests/unit/v8_image.h"

#include <fstream>
#include <ostream>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace tailback {
namespace {

std::string digits_of(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const std::byte byte : bytes) {
    digits += kDigits[static_cast<size_t>(byte) >> 4];
    digits += kDigits[static_cast<size_t>(byte) & 15];
  }
  return digits;
}

std::vector<std::byte> bytes_of(const std::string& digits) {
  std::vector<std::byte> bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::string text_of(const std::string& digits) {
  std::string text;
  for (const std::byte byte : bytes_of(digits)) text += static_cast<char>(byte);
  return text;
}

}  // namespace

V8Image read_v8_image(const std::filesystem::path& path) {
  V8Image image;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("no file " + path.string());
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string word;
    std::string digits;
    words >> word;
    if (word == "v8") {
      words >> image.version.major >> image.version.minor;
    } else if (word == "constant") {
      int32_t value = 0;
      words >> word >> value;
      image.constants[word] = value;
    } else if (word == "code") {
      Mapping& mapping = image.code.emplace_back();
      mapping.executable = true;
      words >> std::hex >> mapping.begin.value >> mapping.end.value;
    } else if (word == "stack") {
      words >> std::hex >> image.stack_begin.value >> image.stack_bytes;
    } else if (word == "frame") {
      InterpretedFrame& frame = image.frames.emplace_back();
      words >> frame.line >> digits;
      frame.file = text_of(digits);
      words >> digits;
      frame.function = text_of(digits);
    } else if (word == "at") {
      RemoteAddress address;
      words >> std::hex >> address.value >> digits;
      image.memory.add(address, bytes_of(digits));
    }
    if (!words) throw std::runtime_error(path.string() + ": cannot be read: " + line.substr(0, 80));
  }
  return image;
}

void write_v8_image(std::ostream& out, V8Image& image) {
  const auto digits = [](const std::string& text) {
    return digits_of(std::as_bytes(std::span(text)));
  };
  out << "v8 " << image.version.major << ' ' << image.version.minor << '\n';
  for (const auto& [name, value] : image.constants)
    out << "constant " << name << ' ' << value << '\n';
  for (const InterpretedFrame& frame : image.frames)
    out << "frame " << frame.line << ' ' << digits(frame.file) << ' ' << digits(frame.function)
        << '\n';
  out << std::hex;
  for (const Mapping& mapping : image.code)
    out << "code " << mapping.begin.value << ' ' << mapping.end.value << '\n';
  out << "stack " << image.stack_begin.value << ' ' << image.stack_bytes << '\n';
  for (const auto& [begin, bytes] : image.memory.parts())
    out << "at " << begin << ' ' << digits_of(bytes) << '\n';
}

GatheredV8Stack gather_v8_image(const V8Image& image, MemoryImage& memory) {
  const auto layout = v8_layout(image.version, image.constants);
  if (!layout) return {};
  Snapshot snapshot;
  snapshot.stack_begin = image.stack_begin;
  snapshot.stack.resize(image.stack_bytes);
  snapshot.modules = std::make_shared<const ModuleMap>(image.code);
  if (!memory.RemoteMemory::read(image.stack_begin, snapshot.stack)) return {};
  return gather_v8_stack(memory, *layout, snapshot);
}

std::string fault_of(const GatheredV8Stack& gathered) {
  // 1,000 characters, at most 4 bytes each, and a mark that there were more.
  constexpr size_t kLongestText = 4100;
  if (gathered.frames.size() > kMostV8Frames) return "too many frames";
  for (const GatheredV8Stack::Frame& frame : gathered.frames) {
    const InterpretedFrame& shown = frame.frame;
    if (!shown.failure.empty() && (!shown.function.empty() || !shown.file.empty() || frame.script))
      return "a frame that says something beside a failure";
    if (shown.failure.empty() && shown.function.empty()) return "a frame without a function";
    if (shown.function.size() > kLongestText || shown.file.size() > kLongestText)
      return "a text that is too long";
    if (shown.function.find('\0') != std::string::npos) return "a name with a NUL";
    if (frame.script && *frame.script >= gathered.scripts.size()) return "a script that is none";
    if (frame.script && frame.position && *frame.position > gathered.scripts[*frame.script].length)
      return "a position outside of the script";
  }
  return "";
}

}  // namespace tailback
