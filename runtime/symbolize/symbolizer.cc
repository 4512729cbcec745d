#include "runtime/symbolize/symbolizer.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "runtime/capture/module_files.h"
#include "runtime/symbolize/debug_file.h"
#include "runtime/symbolize/debug_lines.h"
#include "runtime/symbolize/demangle.h"
#include "runtime/symbolize/jit_name.h"
#include "runtime/symbolize/perf_maps.h"
#include "runtime/symbolize/plt_entries.h"
#include "runtime/symbolize/symbol_table.h"

namespace tailback {
namespace {

constexpr size_t kMostModules = 128;
constexpr size_t kMostDebugModules = 12;
constexpr size_t kMostAddresses = 16384;

// What is known of one module's file.
class Module {
 public:
  Module(int pid, const ModuleFiles::Place& place) : image_(place.image) {
    Elf* elf = image_->elf();
    if (elf == nullptr) return;
    debug_file_ = find_debug_file(pid, place.mapping->path, *image_);
    read_symbols(elf, functions_, variables_);
    std::deque<std::string> plt_names;
    read_plt_entries(elf, functions_, plt_names);
    if (debug_file_ != nullptr) read_symbols(debug_file_->elf(), functions_, variables_);
    functions_.finish();
    variables_.finish();
    release_elfs();
  }
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const SymbolTable& functions() const { return functions_; }
  const SymbolTable& variables() const { return variables_; }

  // nullptr if there is no debug information.
  DebugLines* lines() {
    if (!lines_tried_) {
      lines_tried_ = true;
      if (debug_file_ != nullptr)
        lines_ = DebugLines::open(debug_file_->elf(), debug_file_->descriptor());
      if (lines_ == nullptr) lines_ = DebugLines::open(image_->elf(), image_->descriptor());
      release_elfs();
    }
    return lines_.get();
  }
  bool has_lines() const { return lines_ != nullptr; }
  void close_lines() {
    lines_.reset();
    lines_tried_ = false;
  }

  uint64_t used = 0;

 private:
  // They hold copies of all that was read.
  void release_elfs() {
    image_->release_elf();
    if (debug_file_ != nullptr) debug_file_->release_elf();
  }

  std::shared_ptr<ModuleImage> image_;
  std::unique_ptr<ElfFile> debug_file_;
  SymbolTable functions_;
  SymbolTable variables_;
  bool lines_tried_ = false;
  std::unique_ptr<DebugLines> lines_;
};

bool runs_java(const ModuleMap& modules) {
  return std::any_of(modules.mappings().begin(), modules.mappings().end(),
                     [](const Mapping& m) { return file_name(m.path).starts_with("libjvm.so"); });
}

}  // namespace

struct Symbolizer::Impl {
  using Key = ModuleFiles::Key;
  using Modules = std::map<Key, Module>;

  ModuleFiles files;
  PerfMaps perf_maps;
  Modules modules;
  std::map<std::pair<Key, uint64_t>, std::vector<Frame>> addresses;
  uint64_t clock = 0;

  Module& module_at(int pid, const ModuleFiles::Place& place) {
    auto found = modules.find(place.key);
    if (found == modules.end()) {
      if (modules.size() >= kMostModules) modules.erase(least_used(false));
      found = modules.try_emplace(place.key, pid, place).first;
    }
    found->second.used = ++clock;
    return found->second;
  }

  Modules::iterator least_used(bool with_lines) {
    auto least = modules.end();
    for (auto it = modules.begin(); it != modules.end(); ++it) {
      if (with_lines && !it->second.has_lines()) continue;
      if (least == modules.end() || it->second.used < least->second.used) least = it;
    }
    return least;
  }

  DebugLines* lines_of(Module& module) {
    if (!module.has_lines()) {
      const auto open = std::count_if(modules.begin(), modules.end(),
                                      [](const auto& entry) { return entry.second.has_lines(); });
      if (static_cast<size_t>(open) >= kMostDebugModules) least_used(true)->second.close_lines();
    }
    return module.lines();
  }

  // The frames at a place, all but what depends on the mapping.
  std::vector<Frame> look_up(int pid, const ModuleFiles::Place& place) {
    Module& module = module_at(pid, place);
    std::vector<Frame> frames;
    if (DebugLines* lines = lines_of(module)) {
      for (SourceFrame& source : lines->at(place.address)) {
        Frame frame;
        frame.function = demangle(source.function);
        frame.file = std::move(source.file);
        frame.line = source.line;
        frame.inlined = true;
        frames.push_back(std::move(frame));
      }
    }
    if (frames.empty()) frames.emplace_back();
    // The symbol's name is the one that callers use; debug information may have an inner alias.
    Frame& outer = frames.back();
    outer.inlined = false;
    if (const auto symbol = module.functions().find(place.address))
      outer.function = demangle(symbol->name);
    return frames;
  }

  const std::vector<Frame>& frames_at(int pid, const ModuleFiles::Place& place) {
    const std::pair key(place.key, place.address);
    auto found = addresses.find(key);
    if (found == addresses.end()) {
      if (addresses.size() >= kMostAddresses) addresses.clear();
      found = addresses.emplace(key, look_up(pid, place)).first;
    }
    return found->second;
  }

  // At an address that no module covers.
  Frame anonymous_frame(int pid, const ModuleMap& map, const RawFrame& raw, RemoteAddress address) {
    Frame frame;
    if (const auto name = perf_maps.name_at(pid, address.value))
      frame = jit_frame(*name, runs_java(map));
    frame.offset = raw.address.value;
    const Mapping* mapping = map.find(address);
    if (frame.function.empty() && mapping != nullptr && mapping->is_file()) {
      frame.module = mapping->path;
      frame.offset = (address - mapping->begin) + mapping->file_offset;
    }
    return frame;
  }

  // `fresh`: the process's perf map was looked at for this stack.
  std::vector<Frame> frames_of(int pid, const ModuleMap& map, const RawFrame& raw, bool& fresh) {
    // A return address can lie behind the end of its function.
    const RemoteAddress address(raw.address.value - (raw.after_call ? 1 : 0));
    if (const auto place = files.locate(pid, map, address)) {
      std::vector<Frame> frames = frames_at(pid, *place);
      for (Frame& frame : frames) {
        frame.module = place->mapping->path;
        frame.offset = place->address;
      }
      return frames;
    }
    if (!std::exchange(fresh, true)) perf_maps.update(pid);
    return {anonymous_frame(pid, map, raw, address)};
  }
};

Symbolizer::Symbolizer() : impl_(std::make_unique<Impl>()) {}
Symbolizer::~Symbolizer() = default;

std::vector<Frame> Symbolizer::symbolize(int pid, const ModuleMap& modules, const RawStack& stack) {
  std::vector<Frame> frames;
  bool fresh = false;
  for (const RawFrame& raw : stack.frames) {
    std::vector<Frame> some = impl_->frames_of(pid, modules, raw, fresh);
    std::move(some.begin(), some.end(), std::back_inserter(frames));
  }
  return frames;
}

std::vector<Frame> Symbolizer::symbolize(int pid, const ModuleMap& modules, RawFrame raw) {
  bool fresh = false;
  return impl_->frames_of(pid, modules, raw, fresh);
}

bool Symbolizer::has_cut_perf_map(int pid) const {
  return impl_->perf_maps.is_cut(pid);
}

std::optional<std::string> Symbolizer::variable_at(int pid, const ModuleMap& modules,
                                                   RemoteAddress address) {
  const auto place = impl_->files.locate(pid, modules, address);
  if (!place) return std::nullopt;
  const auto symbol = impl_->module_at(pid, *place).variables().find(place->address);
  if (!symbol) return std::nullopt;
  std::string name = demangle(symbol->name);
  if (symbol->offset != 0) name += "+" + std::to_string(symbol->offset);
  return name;
}

}  // namespace tailback
