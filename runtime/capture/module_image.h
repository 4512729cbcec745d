// One module's ELF file, as far as unwinding and symbols need it: where its segments lie, and its
// constant bytes. The file may be anything; what makes no sense is left out. For one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/capture/byte_source.h"
#include "runtime/capture/remote_address.h"

struct Elf;

namespace tailback {

class ModuleImage {
 public:
  struct Segment {  // PT_LOAD
    uint64_t address = 0;
    uint64_t memory_size = 0;
    uint64_t file_offset = 0;
    uint64_t file_size = 0;
    bool executable = false;
    bool writable = false;
  };

  // Takes the descriptor. nullptr if it is no ELF file of this machine's kind.
  static std::shared_ptr<ModuleImage> from_file(int fd);
  // A whole file's bytes (the vdso).
  static std::shared_ptr<ModuleImage> from_bytes(std::vector<std::byte> bytes);
  // A module whose file is out of reach, from the process that has it loaded: `base` is where its
  // first byte is mapped.
  static std::shared_ptr<ModuleImage> from_process(int pid, RemoteAddress base);

  ~ModuleImage();
  ModuleImage(const ModuleImage&) = delete;
  ModuleImage& operator=(const ModuleImage&) = delete;

  // "Addresses" are the file's own: the address in memory less the load bias.
  const std::vector<Segment>& segments() const { return segments_; }
  uint64_t entry() const { return entry_; }
  // Of the table that leads to the call frame information (PT_GNU_EH_FRAME).
  std::optional<uint64_t> eh_frame_header() const { return eh_frame_header_; }
  const std::string& build_id() const { return build_id_; }  // raw bytes; empty if there is none

  // The address at which the byte at `file_offset` is linked. Neighbouring segments can share a
  // page of the file: `executable` tells which of them is meant.
  std::optional<uint64_t> address_of(uint64_t file_offset, bool executable) const;
  // Whether a segment covers the address, with memory beyond the file's bytes (.bss) counted.
  bool covers(uint64_t address) const;

  // Copies bytes of a segment that the program can't have changed. False if there are none.
  bool read(uint64_t address, void* out, size_t size);

  // libelf's view, until release_elf() or the end of this object. nullptr if there is no file to be
  // had. libelf keeps a copy of each section that is asked for.
  Elf* elf();
  void release_elf();
  // Of the file, open as long as this object lives; -1 if there is none.
  int descriptor() const { return fd_; }

 private:
  explicit ModuleImage(std::unique_ptr<ByteSource> source);
  bool parse(bool loaded);
  void parse_notes(uint64_t offset, uint64_t size);

  std::unique_ptr<ByteSource> source_;
  std::vector<Segment> segments_;
  uint64_t entry_ = 0;
  std::optional<uint64_t> eh_frame_header_;
  std::string build_id_;
  // Set: source_ holds memory from the module's base, which is linked at this address.
  std::optional<uint64_t> loaded_from_;
  int fd_ = -1;                   // owned by source_
  std::vector<std::byte> bytes_;  // what elf_ reads, where there is no file
  Elf* elf_ = nullptr;
};

}  // namespace tailback
