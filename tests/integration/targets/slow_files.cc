// slow_files FOLDER BACKING: a file system at FOLDER that has the files of BACKING. Once there is a
// file BACKING/.slow with "OPERATION MILLISECONDS [PATH]", it takes so long for the next operation
// of this kind, at this path if there is one, and removes the file. Prints "ready 1" when it
// serves; SIGTERM takes it away.

#define FUSE_USE_VERSION 35

#include <dirent.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace {

std::string backing;

// The backing file; waits before if this is the operation that is to be slow.
std::string at(const char* path, std::string_view operation) {
  std::string slow;
  std::string slow_path = path;
  int milliseconds = 0;
  std::ifstream(backing + "/.slow") >> slow >> milliseconds >> slow_path;
  if (slow == operation && slow_path == path && ::unlink((backing + "/.slow").c_str()) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  }
  return backing + path;
}

int result_of(long result) {
  return result < 0 ? -errno : static_cast<int>(result);
}

int descriptor(const fuse_file_info* file) {
  return static_cast<int>(file->fh);
}

void* init(fuse_conn_info*, fuse_config* config) {
  // Nothing is remembered: each call reaches this program.
  config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
  config->direct_io = 1;
  std::puts("ready 1");
  std::fflush(stdout);
  return nullptr;
}

int open_at(const char* path, int flags, mode_t mode, fuse_file_info* file) {
  const int fd = ::open(at(path, "open").c_str(), flags, mode);
  if (fd < 0) return -errno;
  file->fh = static_cast<uint64_t>(fd);
  return 0;
}

fuse_operations operations() {
  fuse_operations all{};
  all.init = init;
  all.getattr = [](const char* path, struct stat* result, fuse_file_info*) {
    return result_of(::lstat(at(path, "getattr").c_str(), result));
  };
  all.access = [](const char* path, int mode) {
    return result_of(::access(at(path, "access").c_str(), mode));
  };
  all.readlink = [](const char* path, char* text, size_t size) {
    const ssize_t length = ::readlink(at(path, "readlink").c_str(), text, size - 1);
    if (length < 0) return -errno;
    text[length] = '\0';
    return 0;
  };
  all.mkdir = [](const char* path, mode_t mode) {
    return result_of(::mkdir(at(path, "mkdir").c_str(), mode));
  };
  all.unlink = [](const char* path) { return result_of(::unlink(at(path, "unlink").c_str())); };
  all.rmdir = [](const char* path) { return result_of(::rmdir(at(path, "rmdir").c_str())); };
  all.symlink = [](const char* target, const char* path) {
    return result_of(::symlink(target, at(path, "symlink").c_str()));
  };
  all.rename = [](const char* from, const char* to, unsigned) {
    return result_of(::rename((backing + from).c_str(), at(to, "rename").c_str()));
  };
  all.link = [](const char* from, const char* to) {
    return result_of(::link((backing + from).c_str(), at(to, "link").c_str()));
  };
  all.truncate = [](const char* path, off_t size, fuse_file_info*) {
    return result_of(::truncate(at(path, "truncate").c_str(), size));
  };
  all.open = [](const char* path, fuse_file_info* file) {
    return open_at(path, file->flags, 0, file);
  };
  all.create = [](const char* path, mode_t mode, fuse_file_info* file) {
    return open_at(path, file->flags | O_CREAT, mode, file);
  };
  all.read = [](const char* path, char* bytes, size_t size, off_t offset, fuse_file_info* file) {
    at(path, "read");
    return result_of(::pread(descriptor(file), bytes, size, offset));
  };
  all.write = [](const char* path, const char* bytes, size_t size, off_t offset,
                 fuse_file_info* file) {
    at(path, "write");
    return result_of(::pwrite(descriptor(file), bytes, size, offset));
  };
  all.statfs = [](const char* path, struct statvfs* result) {
    return result_of(::statvfs(at(path, "statfs").c_str(), result));
  };
  all.release = [](const char*, fuse_file_info* file) {
    ::close(descriptor(file));
    return 0;
  };
  all.fsync = [](const char* path, int, fuse_file_info* file) {
    at(path, "fsync");
    return result_of(::fsync(descriptor(file)));
  };
  all.readdir = [](const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
                   fuse_readdir_flags) {
    DIR* const folder = ::opendir(at(path, "readdir").c_str());
    if (folder == nullptr) return -errno;
    while (const dirent* entry = ::readdir(folder))
      fill(buffer, entry->d_name, nullptr, 0, fuse_fill_dir_flags{});
    ::closedir(folder);
    return 0;
  };
  all.opendir = [](const char* path, fuse_file_info*) {
    at(path, "opendir");
    return 0;
  };
  return all;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fputs("usage: slow_files FOLDER BACKING\n", stderr);
    return 2;
  }
  backing = arguments[2];
  char in_foreground[] = "-f";
  char ends_with_us[] = "-oauto_unmount";
  char* own[] = {arguments[0], in_foreground, ends_with_us, arguments[1], nullptr};
  const fuse_operations all = operations();
  return fuse_main(4, own, &all, nullptr);
}
