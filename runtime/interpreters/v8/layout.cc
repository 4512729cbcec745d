#include "runtime/interpreters/v8/layout.h"

#include <initializer_list>
#include <string_view>

namespace tailback {
namespace {

constexpr int32_t kMostOffset = 1024;
constexpr int32_t kMostType = 0xffff;

// Reads constants, and remembers whether one was missing or out of its range.
class Reader {
 public:
  explicit Reader(const V8Constants& constants) : constants_(constants) {}

  // The first of these names that there is. Types of fields, which end a name, vary; a name that
  // ends in "__" stands for all that begin so.
  int32_t value(std::initializer_list<std::string_view> names, int32_t most) {
    for (const std::string_view name : names) {
      const auto found = constants_.lower_bound(name);
      if (found == constants_.end()) continue;
      const bool same =
          name.ends_with("__") ? found->first.starts_with(name) : found->first == name;
      if (!same) continue;
      if (found->second < 0 || found->second > most) fine_ = false;
      return found->second;
    }
    fine_ = false;
    return 0;
  }
  uint64_t offset(std::initializer_list<std::string_view> names) {
    return static_cast<uint64_t>(value(names, kMostOffset));
  }
  uint16_t type(std::initializer_list<std::string_view> names) {
    return static_cast<uint16_t>(value(names, kMostType));
  }
  void expect(std::string_view name, int32_t wanted) {
    const auto found = constants_.find(name);
    fine_ = fine_ && found != constants_.end() && found->second == wanted;
  }
  bool fine() const { return fine_; }

 private:
  const V8Constants& constants_;
  bool fine_ = true;
};

// What is the same in all versions, and assumed by those who read: tags, kinds of strings, and the
// places of a frame.
void expect_tags(Reader& read) {
  read.expect("HeapObjectTag", 1);
  read.expect("HeapObjectTagMask", 3);
  read.expect("SmiTag", 0);
  read.expect("SmiTagMask", 1);
  read.expect("SmiShiftSize", 31);
  read.expect("SmiValueShift", 1);
  read.expect("StringRepresentationMask", 7);
  read.expect("StringEncodingMask", 8);
  read.expect("OneByteStringTag", 8);
  read.expect("SeqStringTag", 0);
  read.expect("ConsStringTag", 1);
  read.expect("ExternalStringTag", 2);
  read.expect("SlicedStringTag", 3);
  read.expect("ThinStringTag", 5);
  read.expect("off_fp_context", -8);
  read.expect("off_fp_function", -16);
  read.expect("off_fp_bytecode_array", -32);
  read.expect("off_fp_bytecode_offset", -40);
}

}  // namespace

std::optional<V8Layout> v8_layout(V8Version version, const V8Constants& constants) {
  const V8Release* const release = v8_release(version);
  if (release == nullptr) return std::nullopt;
  Reader read(constants);
  expect_tags(read);
  V8Layout layout;
  layout.map_type = read.offset({"class_Map__instance_type__"});
  layout.function_shared = read.offset({"class_JSFunction__shared__"});
  layout.shared_name = read.offset({"class_SharedFunctionInfo__name_or_scope_info__"});
  layout.shared_script = read.offset(
      {"class_SharedFunctionInfo__script__", "class_SharedFunctionInfo__script_or_debug_info__"});
  layout.shared_token = read.offset({"class_SharedFunctionInfo__raw_function_token_offset__"});
  layout.script_source = read.offset({"class_Script__source__"});
  layout.script_name = read.offset({"class_Script__name__"});
  layout.bytecode_data = read.offset({"class_BytecodeArray__data__"});
  layout.array_length = read.offset({"class_FixedArrayBase__length__"});
  layout.array_data = read.offset({"class_FixedArray__data__"});
  layout.string_length = read.offset({"class_String__length__"});
  layout.string_data = read.offset({"class_SeqOneByteString__chars__"});
  if (read.offset({"class_SeqTwoByteString__chars__"}) != layout.string_data) return std::nullopt;
  layout.cons_first = read.offset({"class_ConsString__first__"});
  layout.cons_second = read.offset({"class_ConsString__second__"});
  layout.thin_actual = read.offset({"class_ThinString__actual__"});
  layout.sliced_parent = read.offset({"class_SlicedString__parent__"});
  layout.sliced_offset = read.offset({"class_SlicedString__offset__"});

  layout.functions.first = read.type({"type_JSFunction__"});
  layout.functions.last =
      release->last_function != 0 ? release->last_function : read.type({"LastJSFunctionType"});
  layout.contexts = {read.type({"FirstContextType"}), read.type({"LastContextType"})};
  layout.first_no_string = read.type({"FirstNonstringType"});
  layout.shared = read.type({"type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE"});
  layout.script = read.type({"type_Script__SCRIPT_TYPE"});
  layout.scope = read.type({"type_ScopeInfo__"});
  layout.bytecode = read.type({"type_BytecodeArray__"});
  layout.bytes = read.type({"type_TrustedByteArray__", "type_ByteArray__"});
  layout.oddball = read.type({"type_Oddball__"});

  layout.code = read.type({"type_Code__"});

  layout.version = version;
  layout.code_bytecode = release->code_bytecode;
  layout.code_offsets = release->code_offsets;
  layout.code_holds_instructions = release->code_holds_instructions;
  layout.code_instructions = release->code_instructions;
  layout.code_size = release->code_size;
  layout.bytecode_positions = release->bytecode_positions;
  layout.scope_begins_with_place = release->scope_begins_with_place;
  layout.scope_flags_are_smi = release->scope_flags_are_smi;
  if (!read.fine()) return std::nullopt;
  return layout;
}

}  // namespace tailback
