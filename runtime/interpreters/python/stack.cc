#include "runtime/interpreters/python/stack.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_set>
#include <utility>

#include "runtime/interpreters/python/lines.h"

namespace tailback {
namespace {

using Bytes = std::vector<std::byte>;

constexpr uint64_t kObjectType = 8;      // offsets in any object
constexpr uint64_t kObjectSize = 16;     // in any of variable size
constexpr size_t kAtOnce = 256;          // of an object whose length is not yet known
constexpr uint64_t kLongestText = 1000;  // characters
constexpr uint64_t kLongestCode = 64 * 1024 * 1024;
constexpr uint64_t kLongestLines = 1024 * 1024;        // of a line table
constexpr uint64_t kMostLinesBytes = 4 * 1024 * 1024;  // of all of a stack

template <typename T>
T get(const Bytes& bytes, uint64_t offset) {
  T value{};
  if (offset <= bytes.size() && bytes.size() - offset >= sizeof value)
    std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

RemoteAddress type_of(const Bytes& object) {
  return get<RemoteAddress>(object, kObjectType);
}

// Frames that follow one another often lie side by side, the outer below the inner: what lies below
// one is read along with it.
class FrameReader {
 public:
  FrameReader(RemoteMemory& memory, size_t size) : memory_(memory), size_(size) {}

  bool read(RemoteAddress address, Bytes& out) {
    out.resize(size_);
    if (!holds(address) && !load(address)) return memory_.read(address, out);
    std::memcpy(out.data(), window_.data() + (address - begin_), size_);
    return true;
  }

 private:
  static constexpr uint64_t kPage = 4096;

  bool holds(RemoteAddress address) const {
    return address >= begin_ && address - begin_ <= window_.size() &&
           window_.size() - (address - begin_) >= size_;
  }
  // From the page's begin: if the frame can be read, so can that.
  bool load(RemoteAddress address) {
    window_.clear();
    if (address.value > UINT64_MAX - size_) return false;
    begin_ = RemoteAddress(address.value & ~(kPage - 1));
    window_.resize(address - begin_ + size_);
    if (memory_.read(begin_, window_)) return true;
    window_.clear();
    return false;
  }

  RemoteMemory& memory_;
  size_t size_;
  RemoteAddress begin_;
  Bytes window_;
};

class Gatherer {
 public:
  Gatherer(RemoteMemory& memory, const PythonInterpreter& python)
      : memory_(memory), python_(python), layout_(python.layout) {}

  GatheredPythonStack run(RemoteAddress innermost) {
    const bool done = walk(innermost) && read_codes() && read_objects();
    if (!done) {
      const std::string_view failure = out_.failure;
      out_ = {};
      out_.failure = failure;
    }
    return std::move(out_);
  }

 private:
  bool fail(std::string_view why) {
    out_.failure = why;
    return false;
  }

  size_t code_at(RemoteAddress address) {
    const auto [known, is_new] = code_index_.try_emplace(address, out_.codes.size());
    if (is_new) out_.codes.emplace_back().address = address;
    return known->second;
  }

  bool walk(RemoteAddress frame);
  bool take_object_frame(RemoteAddress frame, const Bytes& bytes);
  bool take_frame(RemoteAddress frame, const Bytes& bytes);
  bool read_codes();
  bool read_objects();
  bool take_text(const Bytes& object, RemoteAddress address, GatheredPythonStack::Text& text);
  bool take_lines(const Bytes& object, RemoteAddress address, GatheredPythonStack::Code& code);
  // The bytes from an offset on: from the head, if that has them all, else they are read later.
  void take_rest(const Bytes& head, RemoteAddress address, uint64_t offset, Bytes& out);
  bool check_positions();
  // The objects at these addresses, as far as kAtOnce, or fewer bytes where memory ends.
  bool read_heads(const std::vector<RemoteAddress>& addresses, size_t least,
                  std::vector<Bytes>& heads);
  bool read_more();
  size_t text_at(RemoteAddress address);

  RemoteMemory& memory_;
  const PythonInterpreter& python_;
  const PythonLayout& layout_;
  GatheredPythonStack out_;
  std::map<RemoteAddress, size_t> code_index_;
  std::map<RemoteAddress, size_t> text_index_;
  std::vector<RemoteAddress> text_addresses_;   // of out_.texts
  std::vector<RemoteAddress> table_addresses_;  // of the line tables of out_.codes
  std::vector<RemoteAddress> code_addresses_;   // kObjects: of the bytes objects of out_.codes
  std::vector<RemoteMemory::Piece> more_;       // what is longer than its head
  uint64_t lines_bytes_ = 0;
};

bool Gatherer::walk(RemoteAddress frame) {
  FrameReader reader(memory_, layout_.frame_bytes);
  std::unordered_set<uint64_t> visited;
  Bytes bytes;
  size_t stand_ins = 0;
  while (frame.value != 0) {
    if (out_.frames.size() == kMostPythonFrames || stand_ins > kMostPythonFrames) return true;
    if (!visited.insert(frame.value).second) return fail("its frames form a ring");
    if (frame.value % 8 != 0 || !reader.read(frame, bytes))
      return fail("a frame could not be read");
    if (layout_.frames == PythonFrames::kObjects) {
      if (!take_object_frame(frame, bytes)) return false;
    } else {
      const size_t before = out_.frames.size();
      if (!take_frame(frame, bytes)) return false;
      stand_ins += out_.frames.size() == before ? 1 : 0;
    }
    frame = get<RemoteAddress>(bytes, layout_.frame_previous);
  }
  out_.complete = true;
  return true;
}

bool Gatherer::take_object_frame(RemoteAddress frame, const Bytes& bytes) {
  if (type_of(bytes) != python_.frame_type) return fail("what should be a frame is none");
  const RemoteAddress code = get<RemoteAddress>(bytes, layout_.frame_code);
  int64_t position = get<int32_t>(bytes, layout_.frame_position);
  if (position > 0) position *= layout_.position_unit;
  out_.frames.push_back({frame, code_at(code), position, true});
  return true;
}

bool Gatherer::take_frame(RemoteAddress frame, const Bytes& bytes) {
  constexpr uint8_t kFirstOfStandIns = 3;
  constexpr uint8_t kMostOwner = 4;
  if (layout_.frames == PythonFrames::kShims) {
    const auto owner = get<uint8_t>(bytes, layout_.frame_owner);
    if (owner > kMostOwner) return fail("a frame's owner is none that there is");
    if (owner >= kFirstOfStandIns) {
      if (!out_.frames.empty()) out_.frames.back().ends_call = true;
      return true;
    }
  }
  const RemoteAddress code(get<uint64_t>(bytes, layout_.frame_code) & layout_.frame_code_mask);
  const auto instruction = get<RemoteAddress>(bytes, layout_.frame_position);
  bool ends_call = false;
  if (layout_.frames == PythonFrames::kEntries) {
    const auto is_entry = get<uint8_t>(bytes, layout_.frame_is_entry);
    if (is_entry > 1) return fail("a frame's mark is none that there is");
    ends_call = is_entry == 1;
  }
  const uint64_t begin = code.value + layout_.code_code;
  const auto position = static_cast<int64_t>(instruction.value - begin);
  out_.frames.push_back({frame, code_at(code), position, ends_call});
  return true;
}

size_t Gatherer::text_at(RemoteAddress address) {
  const auto [known, is_new] = text_index_.try_emplace(address, text_addresses_.size());
  if (is_new) text_addresses_.push_back(address);
  return known->second;
}

bool Gatherer::read_codes() {
  std::vector<Bytes> objects(out_.codes.size(), Bytes(layout_.code_bytes));
  std::vector<RemoteMemory::Piece> pieces;
  for (size_t i = 0; i < objects.size(); ++i) pieces.push_back({out_.codes[i].address, objects[i]});
  memory_.read(pieces);
  for (size_t i = 0; i < objects.size(); ++i) {
    const Bytes& object = objects[i];
    GatheredPythonStack::Code& code = out_.codes[i];
    if (!pieces[i].done || type_of(object) != python_.code_type)
      return fail("what should be a code object is none");
    code.first_line = get<int32_t>(object, layout_.code_first_line);
    code.file = text_at(get<RemoteAddress>(object, layout_.code_file));
    code.name = text_at(get<RemoteAddress>(object, layout_.code_name));
    table_addresses_.push_back(get<RemoteAddress>(object, layout_.code_lines));
    if (layout_.frames == PythonFrames::kObjects) {
      code_addresses_.push_back(get<RemoteAddress>(object, layout_.code_code));
    } else {
      const auto units = get<uint64_t>(object, kObjectSize);
      if (units > kLongestCode / 2) return fail("a code object is longer than can be");
      code.size = units * 2;
    }
  }
  out_.texts.resize(text_addresses_.size());
  return true;
}

bool Gatherer::read_heads(const std::vector<RemoteAddress>& addresses, size_t least,
                          std::vector<Bytes>& heads) {
  heads.assign(addresses.size(), Bytes(kAtOnce));
  std::vector<RemoteMemory::Piece> pieces;
  for (size_t i = 0; i < heads.size(); ++i) pieces.push_back({addresses[i], heads[i]});
  memory_.read(pieces);
  for (size_t i = 0; i < heads.size(); ++i) {
    if (pieces[i].done) continue;
    heads[i].resize(least);
    if (!memory_.read(addresses[i], heads[i])) return false;
  }
  return true;
}

bool Gatherer::read_objects() {
  // All in one go: strings, line tables and, where they stand apart, instructions.
  std::vector<RemoteAddress> addresses = text_addresses_;
  addresses.insert(addresses.end(), table_addresses_.begin(), table_addresses_.end());
  addresses.insert(addresses.end(), code_addresses_.begin(), code_addresses_.end());
  const size_t least = std::max({layout_.string_length + 8, layout_.string_state + 4,
                                 layout_.bytes_data, layout_.bytes_size + 8, kObjectType + 8});
  std::vector<Bytes> heads;
  if (!read_heads(addresses, least, heads)) return fail("a name or a line table could not be read");
  const size_t texts = out_.texts.size();
  const size_t codes = out_.codes.size();
  for (size_t i = 0; i < texts; ++i) {
    if (!take_text(heads[i], addresses[i], out_.texts[i])) return false;
  }
  for (size_t i = 0; i < codes; ++i) {
    GatheredPythonStack::Code& code = out_.codes[i];
    if (!take_lines(heads[texts + i], addresses[texts + i], code)) return false;
    if (layout_.frames != PythonFrames::kObjects) continue;
    const Bytes& instructions = heads[texts + codes + i];
    code.size = get<uint64_t>(instructions, layout_.bytes_size);
    if (type_of(instructions) != python_.bytes_type || code.size > kLongestCode)
      return fail("what should be instructions are none");
  }
  return check_positions() && read_more();
}

bool Gatherer::take_text(const Bytes& object, RemoteAddress address,
                         GatheredPythonStack::Text& text) {
  if (type_of(object) != python_.string_type) return fail("what should be a name is none");
  const auto form = python_string_form(layout_, object);
  if (!form) return fail("a name breaks the rules of strings");
  text.form = *form;
  text.cut = form->length > kLongestText;
  text.characters.resize(std::min(form->length, kLongestText) * form->width);
  take_rest(object, address, form->data, text.characters);
  return true;
}

bool Gatherer::take_lines(const Bytes& object, RemoteAddress address,
                          GatheredPythonStack::Code& code) {
  if (type_of(object) != python_.bytes_type) return fail("what should be a line table is none");
  const auto size = get<uint64_t>(object, layout_.bytes_size);
  if (size > kLongestCode) return fail("a line table is longer than can be");
  code.lines_left_out = size > kLongestLines || lines_bytes_ + size > kMostLinesBytes;
  if (code.lines_left_out) return true;
  lines_bytes_ += size;
  code.lines.resize(size);
  take_rest(object, address, layout_.bytes_data, code.lines);
  return true;
}

void Gatherer::take_rest(const Bytes& head, RemoteAddress address, uint64_t offset, Bytes& out) {
  if (out.empty()) return;
  if (offset <= head.size() && head.size() - offset >= out.size()) {
    std::memcpy(out.data(), head.data() + offset, out.size());
  } else {
    more_.push_back({address + offset, out});
  }
}

bool Gatherer::check_positions() {
  for (const GatheredPythonStack::Frame& frame : out_.frames) {
    const GatheredPythonStack::Code& code = out_.codes[frame.code];
    // One that has not begun stands before its first instruction.
    if (frame.position < -2 || frame.position >= static_cast<int64_t>(code.size))
      return fail("a frame stands outside of its code");
    if (code.first_line < 0) return fail("a code object begins at no line");
  }
  return true;
}

bool Gatherer::read_more() {
  if (more_.empty()) return true;
  memory_.read(more_);
  const bool all = std::all_of(more_.begin(), more_.end(),
                               [](const RemoteMemory::Piece& piece) { return piece.done; });
  return all || fail("a name or a line table could not be read");
}

}  // namespace

GatheredPythonStack gather_python_stack(RemoteMemory& memory, const PythonInterpreter& python,
                                        const PythonThread& thread) {
  return Gatherer(memory, python).run(thread.frame);
}

InterpreterStack decode_python_stack(const PythonInterpreter& python,
                                     const GatheredPythonStack& gathered) {
  InterpreterStack stack;
  const auto fail = [](std::string_view why) {
    InterpreterStack failed;
    failed.failure = why;
    return failed;
  };
  if (!gathered.failure.empty()) return fail(gathered.failure);
  std::vector<std::string> texts;
  for (const GatheredPythonStack::Text& text : gathered.texts) {
    auto decoded = python_text(text.form, text.characters, text.cut);
    if (!decoded) return fail("a name breaks the rules of strings");
    texts.push_back(std::move(*decoded));
  }
  std::map<std::pair<size_t, int64_t>, int> lines;
  for (const GatheredPythonStack::Frame& frame : gathered.frames) {
    const GatheredPythonStack::Code& code = gathered.codes[frame.code];
    const auto [line, is_new] = lines.try_emplace({frame.code, frame.position}, 0);
    if (is_new && !code.lines_left_out) {
      const auto found =
          python_line(python.layout.lines, code.lines, code.first_line, frame.position);
      if (!found) return fail("a line table breaks its rules");
      line->second = *found;
    }
    InterpretedFrame& added = stack.frames.emplace_back();
    added.function = texts[code.name];
    added.file = texts[code.file];
    added.line = line->second;
    added.ends_call = frame.ends_call;
  }
  stack.complete = gathered.complete;
  return stack;
}

}  // namespace tailback
