// Copies of a module's file with bytes of its tables changed, and module maps that name them.
#pragma once

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "runtime/capture/module_map.h"

namespace tailback {

class DamagedCopies {
 public:
  // Of the module that holds `inside`.
  DamagedCopies(const ModuleMap& modules, RemoteAddress inside, uint64_t seed)
      : modules_(modules), module_(modules_.find(inside)), random_(seed) {
    if (module_ != nullptr) read_good();
    if (good_.size() > sizeof(Elf64_Ehdr)) find_parts();
  }
  ~DamagedCopies() { ::unlink(path_.c_str()); }
  DamagedCopies(const DamagedCopies&) = delete;
  DamagedCopies& operator=(const DamagedCopies&) = delete;

  bool ready() const { return !parts_.empty(); }

  // Takes the place of the copy before.
  std::shared_ptr<const ModuleMap> next() {
    std::vector<char> bad = good_;
    const auto [offset, size] = parts_[random_() % parts_.size()];
    for (int i = 0; i < 40; ++i) bad[offset + random_() % size] = static_cast<char>(random_());
    if (random_() % 8 == 0) bad.resize(random_() % bad.size());
    FILE* file = std::fopen(path_.c_str(), "we");
    EXPECT_NE(file, nullptr);
    EXPECT_EQ(std::fwrite(bad.data(), 1, bad.size(), file), bad.size());
    std::fclose(file);
    struct stat status {};
    EXPECT_EQ(::stat(path_.c_str(), &status), 0);
    std::vector<Mapping> mappings = modules_.mappings();
    for (Mapping& mapping : mappings) {
      if (mapping.inode != module_->inode || mapping.device != module_->device) continue;
      mapping.path = path_;
      mapping.inode = status.st_ino;
      mapping.device = status.st_dev;
    }
    return std::make_shared<const ModuleMap>(std::move(mappings));
  }

 private:
  void read_good() {
    FILE* file = std::fopen(module_->path.c_str(), "re");
    if (file == nullptr) return;
    char piece[65536];
    for (size_t n; (n = std::fread(piece, 1, sizeof piece, file)) > 0;)
      good_.insert(good_.end(), piece, piece + n);
    std::fclose(file);
  }

  // The headers, and the sections that unwinding and symbols are read from.
  void find_parts() {
    Elf64_Ehdr header;
    std::memcpy(&header, good_.data(), sizeof header);
    parts_.emplace_back(16, 1000);
    parts_.emplace_back(header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr));
    for (unsigned i = 0; i < header.e_shnum; ++i) {
      Elf64_Shdr section;
      std::memcpy(&section, good_.data() + header.e_shoff + i * sizeof section, sizeof section);
      if (section.sh_type != SHT_NOBITS && section.sh_size >= 16 &&
          (section.sh_flags & (SHF_WRITE | SHF_EXECINSTR)) == 0)
        parts_.emplace_back(section.sh_offset, section.sh_size);
    }
  }

  const ModuleMap modules_;
  const Mapping* module_;
  std::mt19937_64 random_;
  std::vector<char> good_;
  std::vector<std::pair<size_t, size_t>> parts_;
  std::string path_ = ::testing::TempDir() + "damaged_copy_" + std::to_string(::getpid());
};

}  // namespace tailback
