#include "runtime/launch/recorder_file.h"

#include <elf.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/launch/elf_image.h"
#include "runtime/launch/launch_error.h"
#include "runtime/launch/open_file.h"
#include "runtime/launch/quoted_text.h"

namespace tailback {
namespace {

constexpr char kRecorderName[] = "libtailback.so";

}  // namespace

std::string find_recorder() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    throw LaunchError(kTailbackFailed, "/proc/self/exe can't be read (" + error.message() +
                                           "), so libtailback.so can't be found; mount /proc");
  }
  return find_recorder(own.string());
}

std::string find_recorder(const std::string& own_executable) {
  const auto prefix = std::filesystem::path(own_executable).parent_path().parent_path();
  const auto beside = prefix / "lib" / kRecorderName;
  std::string path = beside.string();
  if (access(path.c_str(), R_OK) != 0) {
    path = (prefix / TAILBACK_INSTALL_LIBDIR / kRecorderName).string();
  }
  const OpenFile file(path);
  if (file.fd() < 0) {
    throw LaunchError(kTailbackFailed,
                      fmt::format("{}: the recorder can't be opened ({}); build or install "
                                  "tailback again, bin/ and lib/ belong together",
                                  quoted_text(beside.string()), std::strerror(errno)));
  }
  const auto image = read_elf_image(file.fd());
  if (!image || !image->is_native() || image->is_damaged || image->type != ET_DYN) {
    throw LaunchError(
        kTailbackFailed,
        fmt::format("{}: is not a shared library for this machine{}; build or install tailback "
                    "again",
                    quoted_text(path), image ? " (" + image->architecture() + ")" : ""));
  }
  if (path.find_first_of(": \t\n") != std::string::npos) {
    throw LaunchError(kTailbackFailed,
                      quoted_text(path) +
                          ": LD_PRELOAD can't hold a path with a space or a colon in "
                          "it; move tailback to another directory");
  }
  return path;
}

std::string beside_recorder(const std::string& recorder, const std::string& name) {
  std::string path = (std::filesystem::path(recorder).parent_path() / name).string();
  if (access(path.c_str(), R_OK) != 0) {
    throw LaunchError(kTailbackFailed,
                      fmt::format("{}: can't be read ({}); build or install tailback again",
                                  quoted_text(path), std::strerror(errno)));
  }
  return path;
}

}  // namespace tailback
