// libunwind as a remote unwinder with accessors of our own: the stack comes from the snapshot, call
// frame information and code from the module files. It never reads the living target.
#include <libunwind.h>

#include <list>
#include <utility>

#include "runtime/unwind/engine.h"

// Public in the library, though not in its headers; perf relies on it too.
extern "C" int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t*,
                                                  unw_proc_info_t*, int, void*);

namespace tailback {
namespace {

constexpr uint8_t kDataRelative4 = 0x3b;  // DW_EH_PE_datarel | DW_EH_PE_sdata4
constexpr uint8_t kFormatMask = 0x0f;
constexpr size_t kMostProcesses = 64;
constexpr size_t kRowsCached = 1024;
// Words that one stack may read. The longest honest ones, all cold, take some hundred thousand;
// a DWARF expression that loops takes them all and then fails.
constexpr size_t kMostReads = 2'000'000;

struct Walk {
  Walk(const Snapshot& snapshot, ModuleFiles& files, const MachineState& start)
      : memory(snapshot, files), state(start) {}

  ConstantMemory memory;
  const MachineState& state;
  bool no_cfi = false;   // since this was last cleared, a lookup found none
  bool look_up = false;  // call frame information is being read, not the stack
  size_t reads = 0;
};

// The search table of a module's .eh_frame_hdr, as libunwind wants it.
bool describe_table(const ModuleFiles::Place& place, unw_dyn_info_t& info) {
  const auto header = place.image->eh_frame_header();
  uint8_t head[4];  // version, encodings of: pointer to .eh_frame, count, table
  if (!header || !place.image->read(*header, head, sizeof head)) return false;
  if (head[0] != 1 || head[3] != kDataRelative4) return false;
  const uint8_t pointer_format = head[1] & kFormatMask;
  const uint8_t count_format = head[2] & kFormatMask;
  if (count_format != 0x03 && count_format != 0x0b) return false;  // 4 bytes, un- or signed
  uint64_t pointer_size = 0;
  if (pointer_format == 0x03 || pointer_format == 0x0b) pointer_size = 4;
  if (pointer_format == 0x04 || pointer_format == 0x0c) pointer_size = 8;
  if (pointer_size == 0) return false;
  uint32_t count = 0;
  uint64_t at = *header + sizeof head + pointer_size;
  if (!place.image->read(at, &count, sizeof count) || count == 0) return false;
  at += sizeof count;
  uint64_t last = 0;  // of the table: it must be there as a whole
  if (!place.image->read(at + (uint64_t{count} - 1) * sizeof last, &last, sizeof last))
    return false;
  info.start_ip = place.mapping->begin.value;
  info.end_ip = place.mapping->end.value;
  info.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  info.u.rti.segbase = place.bias + *header;
  info.u.rti.table_data = place.bias + at;
  info.u.rti.table_len = count;  // in words, and an entry is one word
  return true;
}

int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t* info, int need,
                   void* arg) {
  auto& walk = *static_cast<Walk*>(arg);
  // Looked up by ourselves, so that code without information is told at once.
  const ModuleFiles::Place* place = walk.memory.locate(RemoteAddress(ip));
  unw_dyn_info_t table{};
  int result = -UNW_ENOINFO;
  if (place != nullptr && describe_table(*place, table)) {
    walk.look_up = true;
    result = UNW_OBJ(dwarf_search_unwind_table)(space, ip, &table, info, need, arg);
    walk.look_up = false;
  }
  if (result == -UNW_ENOINFO) walk.no_cfi = true;
  return result;
}

int access_mem(unw_addr_space_t, unw_word_t address, unw_word_t* value, int write, void* arg) {
  auto& walk = *static_cast<Walk*>(arg);
  if (write != 0 || ++walk.reads > kMostReads) return -UNW_EINVAL;
  uint64_t word = 0;
  // It insists on the address of the personality routine, which stands in the module's data and
  // which it has no use for.
  if (!walk.memory.read_word(RemoteAddress(address), word) && !walk.look_up) return -UNW_EINVAL;
  *value = word;
  return 0;
}

int access_reg(unw_addr_space_t, unw_regnum_t number, unw_word_t* value, int write, void* arg) {
  const auto& walk = *static_cast<const Walk*>(arg);
  if (write != 0 || number < 0 || !walk.state.known(static_cast<size_t>(number)))
    return -UNW_EBADREG;
  const auto index = static_cast<size_t>(number);
  *value =
      index == machine::kInstructionPointer ? walk.state.lookup_address() : walk.state.get(index);
  return 0;
}

void put_unwind_info(unw_addr_space_t, unw_proc_info_t*, void*) {}
int get_dyn_info_list_addr(unw_addr_space_t, unw_word_t*, void*) {
  return -UNW_ENOINFO;
}
int access_fpreg(unw_addr_space_t, unw_regnum_t, unw_fpreg_t*, int, void*) {
  return -UNW_EBADREG;
}
int resume(unw_addr_space_t, unw_cursor_t*, void*) {
  return -UNW_EINVAL;
}
int get_proc_name(unw_addr_space_t, unw_word_t, char*, size_t, unw_word_t*, void*) {
  return -UNW_ENOINFO;
}

// libunwind keeps rows by instruction pointer alone, so each process has an address space of its
// own, emptied when its modules change.
class AddressSpace {
 public:
  explicit AddressSpace(int pid) : pid_(pid) {
    unw_accessors_t accessors{};
    accessors.find_proc_info = find_proc_info;
    accessors.put_unwind_info = put_unwind_info;
    accessors.get_dyn_info_list_addr = get_dyn_info_list_addr;
    accessors.access_mem = access_mem;
    accessors.access_reg = access_reg;
    accessors.access_fpreg = access_fpreg;
    accessors.resume = resume;
    accessors.get_proc_name = get_proc_name;
    space_ = unw_create_addr_space(&accessors, 0);
    if (space_ == nullptr) return;
    unw_set_caching_policy(space_, UNW_CACHE_GLOBAL);
    unw_set_cache_size(space_, kRowsCached, 0);
  }
  ~AddressSpace() {
    if (space_ != nullptr) unw_destroy_addr_space(space_);
  }
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;

  int pid() const { return pid_; }

  unw_addr_space_t for_modules(const std::shared_ptr<const ModuleMap>& modules) {
    if (modules_ != modules) {
      if (modules_ != nullptr && space_ != nullptr && !(*modules_ == *modules))
        unw_flush_cache(space_, 0, 0);
      modules_ = modules;
    }
    return space_;
  }

 private:
  int pid_;
  unw_addr_space_t space_ = nullptr;
  std::shared_ptr<const ModuleMap> modules_;
};

class LibunwindEngine final : public Engine {
 public:
  explicit LibunwindEngine(std::shared_ptr<ModuleFiles> files) : files_(std::move(files)) {}

  WalkEnd walk(const Snapshot& snapshot, MachineState& state, RawStack& out) override {
    const unw_addr_space_t space = space_of(snapshot);
    Walk walk(snapshot, *files_, state);
    unw_cursor_t cursor;
    if (space == nullptr || unw_init_remote(&cursor, space, &walk) != 0) return WalkEnd::kFailed;
    bool in_signal_frame = walk.memory.is_signal_return(out.frames.back().address);
    while (true) {
      const RawFrame& inner = out.frames.back();
      unw_word_t frame_pointer = 0;
      const bool frame_pointer_known =
          unw_get_reg(&cursor, static_cast<int>(machine::kFramePointer), &frame_pointer) == 0;
      walk.no_cfi = false;
      const int step = unw_step(&cursor);
      unw_word_t ip = 0;
      unw_word_t sp = 0;
      if (step > 0 && (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 ||
                       unw_get_reg(&cursor, UNW_REG_SP, &sp) != 0))
        return WalkEnd::kFailed;
      // Without information it has recognised a signal frame or a PLT entry by its code, which is
      // right, or else has guessed: that we do with more care. (Where it can't read the code, its
      // guess looks like a PLT entry.)
      uint64_t code = 0;
      const bool is_plt = step > 0 && sp == inner.stack_pointer.value + sizeof(uint64_t) &&
                          walk.memory.read_word(inner.address, code);
      if (walk.no_cfi && !in_signal_frame && !is_plt) {
        MachineState last;
        last.set(machine::kInstructionPointer, inner.address.value);
        last.set(machine::kStackPointer, inner.stack_pointer.value);
        if (frame_pointer_known) last.set(machine::kFramePointer, frame_pointer);
        last.after_call = inner.after_call;
        state = last;
        return WalkEnd::kNoCfi;
      }
      if (step < 0) return WalkEnd::kFailed;
      if (step == 0 || ip == 0) return WalkEnd::kThreadStart;
      const bool interrupted = in_signal_frame;
      in_signal_frame = walk.memory.is_signal_return(RemoteAddress(ip));
      RawFrame frame;
      frame.address = RemoteAddress(ip);
      frame.after_call = !interrupted && !in_signal_frame;
      frame.stack_pointer = RemoteAddress(sp);
      if (!add_frame(out, frame, interrupted)) return WalkEnd::kFailed;
    }
  }

 private:
  unw_addr_space_t space_of(const Snapshot& snapshot) {
    auto found = spaces_.begin();
    while (found != spaces_.end() && found->pid() != snapshot.pid) ++found;
    if (found == spaces_.end()) {
      if (spaces_.size() >= kMostProcesses) spaces_.pop_back();
      spaces_.emplace_front(snapshot.pid);
    } else {
      spaces_.splice(spaces_.begin(), spaces_, found);
    }
    return spaces_.front().for_modules(snapshot.modules);
  }

  std::shared_ptr<ModuleFiles> files_;
  std::list<AddressSpace> spaces_;  // the latest used first
};

}  // namespace

std::unique_ptr<Engine> make_libunwind_engine(std::shared_ptr<ModuleFiles> files) {
  return std::make_unique<LibunwindEngine>(std::move(files));
}

}  // namespace tailback
