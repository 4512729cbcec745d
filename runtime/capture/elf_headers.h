// What is asked of any ELF file's headers, of which nothing need be true.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tailback {

// The machine that tailback itself was built for, as files name it.
#if defined(__x86_64__)
inline constexpr uint16_t kOwnMachine = EM_X86_64;
#elif defined(__aarch64__)
inline constexpr uint16_t kOwnMachine = EM_AARCH64;
#else
#error "Tailback knows x86-64 and aarch64"
#endif

// False: the file has not as much there.
bool read_exactly(int fd, void* to, size_t size, uint64_t offset);

// Nothing if they are not of the usual size, or not all there.
std::optional<std::vector<Elf64_Shdr>> read_section_headers(int fd, const Elf64_Ehdr& header);

}  // namespace tailback
