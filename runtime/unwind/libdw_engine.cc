// elfutils' libdwfl as an unwinder, with callbacks of our own: modules from the snapshot's map,
// files from ModuleFiles, memory from the snapshot. It finds its way where .eh_frame has no search
// table.
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <libelf.h>

#include <cstdlib>
#include <list>
#include <utility>

#include "runtime/unwind/engine.h"

namespace tailback {
namespace {

constexpr size_t kMostProcesses = 8;

struct Walk {
  Walk(const Snapshot& snapshot, ModuleFiles& files, MachineState& start, RawStack& stack)
      : tid(snapshot.tid), memory(snapshot, files), state(start), out(stack) {}

  int tid;
  ConstantMemory memory;
  MachineState& state;
  RawStack& out;
  bool first = true;
  WalkEnd end = WalkEnd::kFailed;
};

// One file as it is mapped, one of libdwfl's modules.
struct LoadedFile {
  int pid;
  std::shared_ptr<const ModuleMap> modules;
  RemoteAddress code;
  std::shared_ptr<ModuleFiles> files;
  std::shared_ptr<ModuleImage> image;  // held for as long as libdwfl uses its Elf
};

int find_elf(Dwfl_Module*, void** user, const char*, Dwarf_Addr, char**, Elf** out) {
  auto* file = static_cast<LoadedFile*>(*user);
  *out = nullptr;
  if (file == nullptr) return -1;
  const auto place = file->files->locate(file->pid, *file->modules, file->code);
  if (place && place->image->elf() != nullptr) {
    file->image = place->image;
    *out = elf_begin(-1, ELF_C_READ, place->image->elf());  // one more reference to it
  }
  return -1;  // no descriptor goes with it
}

// Separate debug files hold no call frame information that the module has not.
int find_debuginfo(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                   GElf_Word, char**) {
  return -1;
}

const Dwfl_Callbacks kCallbacks = {find_elf, find_debuginfo, nullptr, nullptr};

// The argument of the thread callbacks is a Walk**: it points to the walk in progress.
Walk* walk_of(void* arg) {
  return *static_cast<Walk**>(arg);
}

pid_t next_thread(Dwfl*, void* arg, void** thread_arg) {
  if (*thread_arg != nullptr || walk_of(arg) == nullptr) return 0;
  *thread_arg = arg;
  return walk_of(arg)->tid;
}

bool get_thread(Dwfl*, pid_t, void* arg, void** thread_arg) {
  *thread_arg = arg;
  return walk_of(arg) != nullptr;
}

bool read_memory_word(Dwfl*, Dwarf_Addr address, Dwarf_Word* out, void* arg) {
  uint64_t word = 0;
  if (!walk_of(arg)->memory.read_word(RemoteAddress(address), word)) return false;
  *out = word;
  return true;
}

bool set_initial_registers(Dwfl_Thread* thread, void* arg) {
  const MachineState& state = walk_of(arg)->state;
  for (size_t number = 0; number < machine::kRegisters; ++number) {
    if (!state.known(number)) continue;
    const Dwarf_Word value =
        number == machine::kInstructionPointer ? state.lookup_address() : state.get(number);
#if defined(__aarch64__)
    if (number == machine::kInstructionPointer) {
      dwfl_thread_state_register_pc(thread, value);
      continue;
    }
#endif
    if (!dwfl_thread_state_registers(thread, static_cast<int>(number), 1, &value)) return false;
  }
  return true;
}

const Dwfl_Thread_Callbacks kThreadCallbacks = {next_thread,           get_thread, read_memory_word,
                                                set_initial_registers, nullptr,    nullptr};

enum class CfiSays { kNothing, kCaller, kOutermost };

// libdwfl does not tell the end of a stack from one that it could not follow, nor its guesses from
// what it knows.
CfiSays consult_cfi(Dwfl* dwfl, Dwarf_Addr address) {
  Dwfl_Module* module = dwfl_addrmodule(dwfl, address);
  if (module == nullptr) return CfiSays::kNothing;
  using Lookup = Dwarf_CFI* (*)(Dwfl_Module*, Dwarf_Addr*);
  for (const Lookup lookup : {Lookup{dwfl_module_eh_cfi}, Lookup{dwfl_module_dwarf_cfi}}) {
    Dwarf_Addr bias = 0;
    Dwarf_CFI* cfi = lookup(module, &bias);
    Dwarf_Frame* row = nullptr;
    if (cfi == nullptr || dwarf_cfi_addrframe(cfi, address - bias, &row) != 0) continue;
    const int return_address = dwarf_frame_info(row, nullptr, nullptr, nullptr);
    Dwarf_Op place[3];
    Dwarf_Op* operations = nullptr;
    size_t count = 0;
    // No operation, in the array that was handed in, means "undefined".
    const bool outermost =
        return_address >= 0 &&
        dwarf_frame_register(row, return_address, place, &operations, &count) == 0 && count == 0 &&
        operations == place;
    std::free(row);
    return outermost ? CfiSays::kOutermost : CfiSays::kCaller;
  }
  return CfiSays::kNothing;
}

int on_frame(Dwfl_Frame* state, void* arg) {
  auto& walk = *static_cast<Walk*>(arg);
  Dwarf_Addr pc = 0;
  bool exact = false;
  if (!dwfl_frame_pc(state, &pc, &exact)) return DWARF_CB_ABORT;
  if (walk.first) {
    walk.first = false;  // the caller has it
  } else {
    Dwarf_Word sp = 0;
    if (dwfl_frame_reg(state, machine::kStackPointer, &sp) != 0) return DWARF_CB_ABORT;
    if (pc == 0) {
      walk.end = WalkEnd::kThreadStart;
      return DWARF_CB_ABORT;
    }
    RawFrame frame;
    frame.address = RemoteAddress(pc);
    frame.after_call = !exact;
    frame.stack_pointer = RemoteAddress(sp);
    if (!add_frame(walk.out, frame, exact)) return DWARF_CB_ABORT;
  }
  const RawFrame& last = walk.out.frames.back();
  Dwfl* dwfl = dwfl_thread_dwfl(dwfl_frame_thread(state));
  switch (consult_cfi(dwfl, last.address.value - (last.after_call ? 1 : 0))) {
    case CfiSays::kCaller:
      return DWARF_CB_OK;
    case CfiSays::kOutermost:
      walk.end = WalkEnd::kThreadStart;
      return DWARF_CB_ABORT;
    case CfiSays::kNothing:
      break;  // libdwfl would guess by the frame pointer; ours takes more care
  }
  MachineState at;
  at.set(machine::kInstructionPointer, last.address.value);
  at.set(machine::kStackPointer, last.stack_pointer.value);
  at.after_call = last.after_call;
  Dwarf_Word frame_pointer = 0;
  if (dwfl_frame_reg(state, machine::kFramePointer, &frame_pointer) == 0)
    at.set(machine::kFramePointer, frame_pointer);
  walk.state = at;
  walk.end = WalkEnd::kNoCfi;
  return DWARF_CB_ABORT;
}

class Process {
 public:
  Process(const Snapshot& snapshot, const std::shared_ptr<ModuleFiles>& files)
      : pid_(snapshot.pid), modules_(snapshot.modules) {
    dwfl_ = dwfl_begin(&kCallbacks);
    if (dwfl_ == nullptr) return;
    dwfl_report_begin(dwfl_);
    report_files(files);
    if (dwfl_report_end(dwfl_, nullptr, nullptr) != 0) return;
    attached_ = dwfl_attach_state(dwfl_, nullptr, pid_, &kThreadCallbacks, &walk_);
  }
  ~Process() {
    if (dwfl_ != nullptr) dwfl_end(dwfl_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  bool is_for(const Snapshot& snapshot) {
    if (snapshot.pid != pid_) return false;
    if (snapshot.modules == modules_) return true;
    if (!(*snapshot.modules == *modules_)) return false;
    modules_ = snapshot.modules;
    return true;
  }
  int pid() const { return pid_; }

  // Leaves in walk.end how it ended.
  void walk(Walk& walk) {
    if (!attached_) {
      walk.end = WalkEnd::kNoCfi;  // there is no file to have any
      return;
    }
    walk_ = &walk;
    dwfl_getthread_frames(dwfl_, walk.tid, on_frame, &walk);
    walk_ = nullptr;
  }

 private:
  // A run of mappings of one file, from its first byte, is one module.
  void report_files(const std::shared_ptr<ModuleFiles>& files) {
    const auto& mappings = modules_->mappings();
    for (size_t i = 0; i < mappings.size();) {
      const Mapping& first = mappings[i];
      const Mapping* code = nullptr;
      size_t next = i;
      while (next < mappings.size() && mappings[next].inode == first.inode &&
             mappings[next].device == first.device && mappings[next].path == first.path &&
             (next == i || mappings[next].file_offset > first.file_offset)) {
        if (mappings[next].executable && code == nullptr) code = &mappings[next];
        ++next;
      }
      const bool has_file = first.is_file() || first.path == "[vdso]";
      if (has_file && first.file_offset == 0 && code != nullptr) {
        Dwfl_Module* module = dwfl_report_module(dwfl_, first.path.c_str(), first.begin.value,
                                                 mappings[next - 1].end.value);
        void** user = nullptr;
        if (module != nullptr) {
          dwfl_module_info(module, &user, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
          loaded_.push_back({pid_, modules_, code->begin, files, nullptr});
          *user = &loaded_.back();
        }
      }
      i = next;
    }
  }

  int pid_;
  std::shared_ptr<const ModuleMap> modules_;
  std::list<LoadedFile> loaded_;
  Dwfl* dwfl_ = nullptr;
  bool attached_ = false;
  Walk* walk_ = nullptr;
};

class LibdwEngine final : public Engine {
 public:
  explicit LibdwEngine(std::shared_ptr<ModuleFiles> files) : files_(std::move(files)) {}

  WalkEnd walk(const Snapshot& snapshot, MachineState& state, RawStack& out) override {
    Walk walk(snapshot, *files_, state, out);
    process_of(snapshot).walk(walk);
    return walk.end;
  }

 private:
  Process& process_of(const Snapshot& snapshot) {
    for (auto it = processes_.begin(); it != processes_.end(); ++it) {
      if (it->pid() != snapshot.pid) continue;
      if (it->is_for(snapshot)) {
        processes_.splice(processes_.begin(), processes_, it);
        return processes_.front();
      }
      processes_.erase(it);
      break;
    }
    if (processes_.size() >= kMostProcesses) processes_.pop_back();
    return processes_.emplace_front(snapshot, files_);
  }

  std::shared_ptr<ModuleFiles> files_;
  std::list<Process> processes_;  // the latest used first
};

}  // namespace

std::unique_ptr<Engine> make_libdw_engine(std::shared_ptr<ModuleFiles> files) {
  return std::make_unique<LibdwEngine>(std::move(files));
}

}  // namespace tailback
