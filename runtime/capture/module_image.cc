#include "runtime/capture/module_image.h"

#include <elf.h>
#include <libelf.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/capture/elf_headers.h"

namespace tailback {
namespace {

constexpr uint64_t kMostNoteBytes = 16 * 1024;
constexpr uint32_t kMostBuildIdBytes = 64;
constexpr uint64_t kHighestAddress = uint64_t{1} << 62;  // no sum of two may wrap around

}  // namespace

ModuleImage::ModuleImage(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

ModuleImage::~ModuleImage() {
  release_elf();
}

std::shared_ptr<ModuleImage> ModuleImage::from_file(int fd) {
  std::shared_ptr<ModuleImage> image(new ModuleImage(make_file_source(fd)));
  image->fd_ = fd;
  return image->parse(false) ? image : nullptr;
}

std::shared_ptr<ModuleImage> ModuleImage::from_bytes(std::vector<std::byte> bytes) {
  std::shared_ptr<ModuleImage> image(new ModuleImage(make_buffer_source(bytes)));
  image->bytes_ = std::move(bytes);
  return image->parse(false) ? image : nullptr;
}

std::shared_ptr<ModuleImage> ModuleImage::from_process(int pid, RemoteAddress base) {
  std::shared_ptr<ModuleImage> image(new ModuleImage(make_memory_source(pid, base)));
  return image->parse(true) ? image : nullptr;
}

// `loaded`: the bytes stand where the loader put them, not where the file has them.
bool ModuleImage::parse(bool loaded) {
  Elf64_Ehdr header;
  if (!source_->read(0, &header, sizeof header)) return false;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != kOwnMachine ||
      header.e_phentsize != sizeof(Elf64_Phdr))
    return false;
  entry_ = header.e_entry;
  std::vector<Elf64_Phdr> programs(std::min<size_t>(header.e_phnum, 1024));
  if (header.e_phoff >= kHighestAddress ||
      !source_->read(header.e_phoff, programs.data(), programs.size() * sizeof(Elf64_Phdr)))
    return false;

  std::optional<uint64_t> lowest;
  for (const Elf64_Phdr& program : programs) {
    if (program.p_type != PT_LOAD) continue;
    if (std::max({program.p_vaddr, program.p_memsz, program.p_offset, program.p_filesz}) >=
        kHighestAddress)
      return false;
    if (!lowest) lowest = program.p_vaddr - std::min(program.p_vaddr, program.p_offset);
    Segment segment;
    segment.address = program.p_vaddr;
    segment.memory_size = program.p_memsz;
    segment.file_offset = program.p_offset;
    segment.file_size = program.p_filesz;
    segment.executable = (program.p_flags & PF_X) != 0;
    segment.writable = (program.p_flags & PF_W) != 0;
    segments_.push_back(segment);
  }
  if (!lowest) return false;

  for (const Elf64_Phdr& program : programs) {
    if (program.p_type == PT_GNU_EH_FRAME) eh_frame_header_ = program.p_vaddr;
    if (program.p_type == PT_NOTE && build_id_.empty())
      parse_notes(loaded ? program.p_vaddr - *lowest : program.p_offset, program.p_filesz);
  }
  if (loaded) loaded_from_ = *lowest;
  return true;
}

void ModuleImage::parse_notes(uint64_t offset, uint64_t size) {
  const uint64_t end = offset + std::min(size, kMostNoteBytes);
  Elf64_Nhdr note;
  while (offset + sizeof note <= end && source_->read(offset, &note, sizeof note)) {
    const uint64_t name = offset + sizeof note;
    const uint64_t text = name + ((uint64_t{note.n_namesz} + 3) & ~uint64_t{3});
    char owner[4] = {};
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz > 0 &&
        note.n_descsz <= kMostBuildIdBytes && source_->read(name, owner, sizeof owner) &&
        std::memcmp(owner, "GNU", 4) == 0) {
      build_id_.resize(note.n_descsz);
      if (!source_->read(text, build_id_.data(), build_id_.size())) build_id_.clear();
      return;
    }
    offset = text + ((uint64_t{note.n_descsz} + 3) & ~uint64_t{3});
  }
}

std::optional<uint64_t> ModuleImage::address_of(uint64_t file_offset, bool executable) const {
  const Segment* fit = nullptr;
  for (const Segment& segment : segments_) {
    // The loader maps whole pages.
    const uint64_t begin = segment.file_offset & ~uint64_t{0xfff};
    if (file_offset < begin || file_offset >= segment.file_offset + segment.file_size) continue;
    if (fit == nullptr || (fit->executable != executable && segment.executable == executable))
      fit = &segment;
  }
  if (fit == nullptr) return std::nullopt;
  return fit->address + file_offset - fit->file_offset;
}

bool ModuleImage::covers(uint64_t address) const {
  return std::any_of(segments_.begin(), segments_.end(), [&](const Segment& s) {
    return address >= s.address && address - s.address < s.memory_size;
  });
}

bool ModuleImage::read(uint64_t address, void* out, size_t size) {
  for (const Segment& segment : segments_) {
    if (segment.writable || address < segment.address) continue;
    const uint64_t at = address - segment.address;
    if (at >= segment.file_size || size > segment.file_size - at) continue;
    return source_->read(loaded_from_ ? address - *loaded_from_ : segment.file_offset + at, out,
                         size);
  }
  return false;
}

Elf* ModuleImage::elf() {
  if (elf_ != nullptr) return elf_;
  elf_version(EV_CURRENT);
  if (fd_ >= 0)
    elf_ = elf_begin(fd_, ELF_C_READ, nullptr);
  else if (!bytes_.empty())
    elf_ = elf_memory(reinterpret_cast<char*>(bytes_.data()), bytes_.size());
  return elf_;
}

void ModuleImage::release_elf() {
  if (elf_ != nullptr) elf_end(elf_);
  elf_ = nullptr;
}

}  // namespace tailback
