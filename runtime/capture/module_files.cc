#include "runtime/capture/module_files.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "runtime/capture/memory.h"
#include "runtime/capture/regular_file.h"

namespace tailback {
namespace {

constexpr char kVdso[] = "[vdso]";
constexpr uint64_t kLargestVdso = 1024 * 1024;

std::string map_file(int pid, const Mapping& mapping) {
  std::array<char, 64> range;
  ::snprintf(range.data(), range.size(), "%lx-%lx", static_cast<unsigned long>(mapping.begin.value),
             static_cast<unsigned long>(mapping.end.value));
  return "/proc/" + std::to_string(pid) + "/map_files/" + range.data();
}

const Mapping* first_mapping(const ModuleMap& modules, const Mapping& mapping) {
  const Mapping* first = nullptr;
  for (const Mapping& other : modules.mappings()) {
    if (&other > &mapping) break;
    if (other.inode == mapping.inode && other.device == mapping.device && other.file_offset == 0 &&
        other.is_file())
      first = &other;  // the nearest below: the same file can be loaded twice
  }
  return first;
}

// Some file systems give another device in maps than in stat (overlayfs, btrfs). A file with the
// right inode passes; one with neither passes if its first page is what the process has.
bool is_mapped_file(int fd, const struct stat& status, int pid, const ModuleMap& modules,
                    const Mapping& mapping) {
  if (status.st_ino == mapping.inode) return true;
  const Mapping* first = first_mapping(modules, mapping);
  if (first == nullptr || first->writable) return false;
  std::array<std::byte, 4096> in_memory;
  std::array<std::byte, 4096> in_file;
  const ssize_t size = ::pread(fd, in_file.data(), in_file.size(), 0);
  return size > static_cast<ssize_t>(sizeof(Elf64_Ehdr)) && status.st_dev != mapping.device &&
         read_memory(pid, first->begin, in_memory) >= static_cast<size_t>(size) &&
         std::memcmp(in_memory.data(), in_file.data(), static_cast<size_t>(size)) == 0;
}

std::shared_ptr<ModuleImage> open_file(int pid, const ModuleMap& modules, const Mapping& mapping) {
  const std::string process = "/proc/" + std::to_string(pid);
  struct Candidate {
    std::string path;
    bool certain;  // the kernel's own link to the mapped file
  };
  const Candidate candidates[] = {{process + "/root" + mapping.path, false},
                                  {map_file(pid, mapping), true},
                                  {process + "/exe", false},
                                  {mapping.path, false}};
  for (const Candidate& candidate : candidates) {
    struct stat status;
    const int fd = open_regular_file(candidate.path, status);
    if (fd < 0) continue;
    if (candidate.certain || is_mapped_file(fd, status, pid, modules, mapping))
      return ModuleImage::from_file(fd);
    ::close(fd);
  }
  return nullptr;
}

// Every process of a machine has the same vdso, so ours will do, whether or not the target still
// lives. One of another size is another: that is read from the target.
std::shared_ptr<ModuleImage> open_vdso(int pid, const Mapping& mapping, bool& own) {
  const uint64_t size = mapping.end - mapping.begin;
  if (size > kLargestVdso) return nullptr;
  static const uint64_t own_begin = ::getauxval(AT_SYSINFO_EHDR);
  static const uint64_t own_size = [] {
    const auto map = ModuleMap::read(::getpid());
    const Mapping* found = map ? map->find(RemoteAddress(own_begin)) : nullptr;
    return found != nullptr ? found->end.value - own_begin : 0;
  }();
  std::vector<std::byte> bytes(size);
  own = own_begin != 0 && own_size == size;
  if (read_memory(own ? ::getpid() : pid, own ? RemoteAddress(own_begin) : mapping.begin, bytes) !=
      size)
    return nullptr;
  return ModuleImage::from_bytes(std::move(bytes));
}

}  // namespace

std::optional<ModuleFiles::Place> ModuleFiles::locate(int pid, const ModuleMap& modules,
                                                      RemoteAddress address) {
  const Mapping* mapping = modules.find(address);
  if (mapping == nullptr) return std::nullopt;
  const bool anonymous = mapping->path.empty();
  // .bss is anonymous memory that follows the module's data.
  for (int back = 0; back < 2 && mapping->path.empty(); ++back) {
    if (mapping == modules.mappings().data() || (mapping - 1)->end != mapping->begin)
      return std::nullopt;
    --mapping;
  }
  if (!mapping->is_file() && mapping->path != kVdso) return std::nullopt;
  const auto& [key, file] = *find(pid, modules, *mapping);
  if (file.image == nullptr) return std::nullopt;
  const auto linked = file.image->address_of(mapping->file_offset, mapping->executable);
  if (!linked) return std::nullopt;
  Place place;
  place.key = key;
  place.image = file.image;
  place.mapping = mapping;
  place.bias = mapping->begin.value - *linked;
  place.address = address.value - place.bias;
  if (anonymous && !place.image->covers(place.address)) return std::nullopt;
  return place;
}

ModuleFiles::Entries::iterator ModuleFiles::find(int pid, const ModuleMap& modules,
                                                 const Mapping& mapping) {
  // First the module as all processes share it, then as this one alone has it.
  auto found = entries_.find(Key{mapping.device, mapping.inode, 0});
  if (found == entries_.end()) found = entries_.find(Key{mapping.device, mapping.inode, pid});
  if (found == entries_.end()) found = open(pid, modules, mapping);
  found->second.used = ++clock_;
  return found;
}

ModuleFiles::Entries::iterator ModuleFiles::open(int pid, const ModuleMap& modules,
                                                 const Mapping& mapping) {
  if (entries_.size() >= kMostFiles) {
    entries_.erase(std::min_element(
        entries_.begin(), entries_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  std::shared_ptr<ModuleImage> image;
  bool shared = true;
  if (mapping.path == kVdso) {
    image = open_vdso(pid, mapping, shared);
  } else if (image = open_file(pid, modules, mapping); image == nullptr) {
    if (const Mapping* first = first_mapping(modules, mapping))
      image = ModuleImage::from_process(pid, first->begin);
    shared = false;
  }
  const Key key{mapping.device, mapping.inode, shared && image != nullptr ? 0 : pid};
  return entries_.insert_or_assign(key, Entry{std::move(image), 0}).first;
}

}  // namespace tailback
