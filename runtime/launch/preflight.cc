#include "runtime/launch/preflight.h"

#include <elf.h>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "runtime/capture/sanitizer_runtime.h"
#include "runtime/launch/elf_image.h"
#include "runtime/launch/launch_error.h"
#include "runtime/launch/open_file.h"
#include "runtime/launch/quoted_text.h"
#include "runtime/launch/script.h"

namespace tailback {
namespace {

// Why execve(2) would refuse `path`; 0 if it would not, as far as the file's attributes tell.
int why_not_executable(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

bool is_absence(int error) {
  return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG;
}

std::string search_path() {
  if (const char* path = std::getenv("PATH")) return path;
  std::string path(confstr(_CS_PATH, nullptr, 0), '\0');
  confstr(_CS_PATH, path.data(), path.size());
  path.pop_back();
  return path;
}

struct Found {
  std::string path;
  int error = 0;  // from why_not_executable(); ENOENT: on no directory of PATH
};

// As execvp(3): what can't be executed is passed over, and is only named if nothing else is found.
Found find_program(const std::string& name) {
  if (name.empty()) return {name, ENOENT};
  if (name.find('/') != std::string::npos) return {name, why_not_executable(name)};
  Found refused{name, ENOENT};
  const std::string path = search_path();
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    const std::string directory = path.substr(begin, end - begin);
    begin = end + 1;
    std::string candidate = directory.empty() ? "." : directory;
    candidate.append("/").append(name);
    const int error = why_not_executable(candidate);
    if (error == 0) return {candidate, 0};
    if (!is_absence(error) && refused.error == ENOENT) refused = {candidate, error};
  }
  return refused;
}

// `context` says how we got here: "'./run.sh': its interpreter ", or nothing.
[[noreturn]] void refuse(const Found& found, const std::string& name, const std::string& context) {
  const std::string program = context + quoted_text(name);
  const bool on_path = name.find('/') == std::string::npos;
  if (is_absence(found.error)) {
    if (!name.empty() && name.back() == '\r') {
      throw LaunchError(kNoSuchProgram, program +
                                            ": the script has Windows line ends; convert it "
                                            "(sed -i 's/\\r$//')");
    }
    throw LaunchError(kNoSuchProgram,
                      program + (on_path ? ": no such program on PATH; check the spelling or give "
                                           "the program's path"
                                         : ": no such file; check the path"));
  }
  const std::string where =
      on_path && found.path != name ? fmt::format(" ({})", quoted_text(found.path)) : "";
  if (found.error == EISDIR) {
    throw LaunchError(kNotExecutable, program + where + ": is a directory; name a program in it");
  }
  if (found.error == EACCES) {
    throw LaunchError(kNotExecutable,
                      program + where +
                          ": not executable; check its mode (chmod +x) and that its "
                          "file system is not mounted noexec");
  }
  throw LaunchError(kNotExecutable,
                    fmt::format("{}{}: can't be executed: {}; check the file and the directories "
                                "above it",
                                program, where, std::strerror(found.error)));
}

// What of `identity` would change, so that the loader would go into secure mode. Empty: nothing.
std::string id_change(int fd, const Identity& identity) {
  struct stat status {};
  struct statvfs mount {};
  if (identity.no_new_privileges || fstat(fd, &status) != 0) return {};
  if (fstatvfs(fd, &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0) return {};
  if ((status.st_mode & S_ISUID) != 0 && status.st_uid != identity.uid) {
    return fmt::format("is setuid (to uid {})", status.st_uid);
  }
  // Without the group's execute bit, setgid marks mandatory locking.
  const bool setgid = (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  if (setgid && status.st_gid != identity.gid) {
    return fmt::format("is setgid (to gid {})", status.st_gid);
  }
  if (identity.uid != 0 && fgetxattr(fd, "security.capability", nullptr, 0) > 0) {
    return "has file capabilities";
  }
  return {};
}

// Whether the image is the loader itself, as in `ld-linux-x86-64.so.2 ./server`: it has no loader,
// but honours LD_PRELOAD for what it loads.
bool is_loader(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return !error && real.filename().string().substr(0, 8) == "ld-linux";
}

void check_image(const std::string& path, const ElfImage& image, int fd, const Identity& identity,
                 const std::string& context) {
  const std::string program = context + quoted_text(path);
  if (!image.is_native()) {
    throw LaunchError(kNotExecutable,
                      fmt::format("{}: is built for another architecture ({}); this tailback can "
                                  "watch 64-bit programs of its own machine only",
                                  program, image.architecture()));
  }
  if (image.is_damaged) {
    throw LaunchError(kNotExecutable,
                      program + ": its ELF headers are damaged; build or install it again");
  }
  if (image.loader.empty() && image.is_go) {
    throw LaunchError(kTailbackFailed,
                      program +
                          ": is a Go program, statically linked: Go makes its system calls itself, "
                          "preloading can't see into it; use Go's own tools (go tool trace)");
  }
  if (image.loader.empty() && !is_loader(path)) {
    throw LaunchError(kTailbackFailed,
                      program +
                          ": is statically linked, preloading can't see into it; use a "
                          "dynamically linked build");
  }
  if (image.loader.find("ld-musl") != std::string::npos) {
    throw LaunchError(kTailbackFailed,
                      fmt::format("{}: is linked with musl (its loader is {}), the recorder needs "
                                  "glibc; use a build for glibc",
                                  program, quoted_text(image.loader)));
  }
  if (!image.loader.empty() && access(image.loader.c_str(), F_OK) != 0) {
    throw LaunchError(kNoSuchProgram,
                      fmt::format("{}: its loader {} is missing; install the libc that it was "
                                  "built for",
                                  program, quoted_text(image.loader)));
  }
  const std::string change = id_change(fd, identity);
  if (!change.empty()) {
    throw LaunchError(kTailbackFailed,
                      fmt::format("{}: {}, so the loader would ignore the preload; watch a plain "
                                  "copy of it (cp leaves such rights behind)",
                                  program, change));
  }
}

std::string read_beginning(int fd) {
  std::string beginning(256, '\0');
  const ssize_t size = pread(fd, beginning.data(), beginning.size(), 0);
  beginning.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return beginning;
}

// Goes from a command to the image that the kernel loads in the end, checking each step.
class Follower {
 public:
  explicit Follower(const Identity& identity) : identity_(identity) {}

  struct Step {
    std::string path;
    std::string image;
  };
  Step follow(const std::string& name, const std::string& context) {
    if (++steps_ > kMostSteps) {
      throw LaunchError(kNotExecutable, context + quoted_text(name) +
                                            ": the interpreters lead in a circle; correct the "
                                            "first line (#!) of the scripts");
    }
    const Found found = find_program(name);
    if (found.error != 0) refuse(found, name, context);
    const OpenFile file(found.path);
    // Executable but not readable: only the kernel can tell.
    if (file.fd() < 0) return {found.path, found.path};
    if (const auto image = read_elf_image(file.fd())) {
      check_image(found.path, *image, file.fd(), identity_, context);
      if (image->is_go) {
        remark_ =
            context + quoted_text(found.path) +
            ": is a Go program: calls of C code in it (cgo) are seen, but not its goroutines "
            "and the system calls that Go makes itself; for these use Go's own tools (go tool "
            "trace)";
      }
      const SanitizerRuntime sanitizer = read_sanitizer_runtime(file.fd());
      has_thread_sanitizer_ = sanitizer.is_thread_sanitizer;
      findings_in_text_only_ = sanitizer.reports_unseen();
      if (findings_in_text_only_) {
        remark_ = context + quoted_text(found.path) +
                  ": has ThreadSanitizer's runtime in it, but not the pairing library: what "
                  "ThreadSanitizer finds stands in the program's own output only; link it with "
                  "tailback_thread_sanitizer() of CMake, or with tailback-thread-sanitizer.o, or "
                  "use --thread-sanitizer-text";
      }
      return {found.path, found.path};
    }
    return {found.path, interpreter_of(found.path, read_beginning(file.fd()))};
  }

  // What can't be seen of what was found; empty: nothing to say.
  const std::string& remark() const { return remark_; }
  // Of the last image that was looked at.
  bool has_thread_sanitizer() const { return has_thread_sanitizer_; }
  bool findings_in_text_only() const { return findings_in_text_only_; }

 private:
  static constexpr int kMostSteps = 16;

  std::string interpreter_of(const std::string& script, const std::string& beginning) {
    const std::string context = quoted_text(script) + ": its interpreter ";
    const auto shebang = parse_shebang(beginning);
    // execvp(3) gives what the kernel doesn't know to the shell.
    if (!shebang) return follow("/bin/sh", context).image;
    const bool has_directory = shebang->interpreter.find('/') != std::string::npos;
    std::string image =
        follow(has_directory ? shebang->interpreter : "./" + shebang->interpreter, context).image;
    if (std::filesystem::path(shebang->interpreter).filename() != "env") return image;

    const EnvArgument env = parse_env_argument(shebang->argument);
    if (env.clears_environment) {
      throw LaunchError(kTailbackFailed,
                        quoted_text(script) +
                            ": its first line clears the environment (env -i), and "
                            "with it the preload; remove -i or name the interpreter "
                            "on the command line");
    }
    return env.program.empty() ? image : follow(env.program, context).image;
  }

  const Identity& identity_;
  int steps_ = 0;
  std::string remark_;
  bool has_thread_sanitizer_ = false;
  bool findings_in_text_only_ = false;
};

}  // namespace

Identity Identity::of_this_process() {
  return {getuid(), getgid(), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1};
}

Program check_program(const std::string& name, const Identity& identity) {
  Follower follower(identity);
  Follower::Step step = follower.follow(name, "");
  return {std::move(step.path), std::move(step.image), follower.remark(),
          follower.findings_in_text_only(), follower.has_thread_sanitizer()};
}

}  // namespace tailback
