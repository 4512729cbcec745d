// Directories read, searched and walked: by readdir, scandir, glob, nftw, fts and wordexp, with
// callbacks that make calls of their own.
#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <sys/stat.h>
#include <wordexp.h>

#include <algorithm>
#include <string>
#include <vector>

#include "answers.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

using namespace hostile;

namespace {

void make_tree() {
  for (const char* directory : {"tree", "tree/a", "tree/a/deep", "tree/b", "tree/empty"}) {
    mkdir(directory, 0755);
  }
  for (const char* file : {"tree/a/1.txt", "tree/a/2.txt", "tree/a/deep/3.dat", "tree/b/4.txt",
                           "tree/.hidden", "tree/b/with space.txt"}) {
    close(open(file, O_CREAT | O_WRONLY, 0644));
  }
  (void)!symlink("../a", "tree/b/link");
  (void)!symlink("/nowhere/at/all", "tree/b/broken");
}

void make_a_call() {
  const timespec moment = {0, 1000};
  nanosleep(&moment, nullptr);
}

void by_readdir() {
  DIR* directory = opendir("tree/b");
  std::vector<std::string> names;
  errno = kUntouched;
  while (const dirent* entry = readdir(directory)) names.emplace_back(entry->d_name);
  say("errno %d\n", errno);
  rewinddir(directory);
  while (const dirent64* entry = readdir64(directory)) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) say("  %s\n", name.c_str());
  rewinddir(directory);
  readdir(directory);
  const long place = telldir(directory);
  const std::string second = readdir(directory)->d_name;
  seekdir(directory, place);
  say("back in place %d\n", second == readdir(directory)->d_name);
  dirent entry;
  dirent* result = nullptr;
  rewinddir(directory);
  int count = 0;
  while (readdir_r(directory, &entry, &result) == 0 && result) ++count;
  say("readdir_r %d\n", count);
  REPORT(closedir(directory));
  REPORT(opendir("/nowhere/at/all"));
  REPORT(opendir("tree/.hidden"));
  REPORT(fdopendir(-1));
  // A descriptor that is not there any more.
  DIR* gone = opendir("tree");
  close(dirfd(gone));
  REPORT(readdir(gone));
  REPORT(closedir(gone));
}

int no_dots(const dirent* entry) {
  make_a_call();
  return entry->d_name[0] != '.';
}
int backwards(const dirent** a, const dirent** b) {
  make_a_call();
  return -strcmp((*a)->d_name, (*b)->d_name);
}
// By reference: the list is there once the count is.
void say_list(const char* what, int count, dirent** const& list) {
  say("%s: %d\n", what, count);
  for (int i = 0; i < count; ++i) {
    say("  %s\n", list[i]->d_name);
    free(list[i]);
  }
  if (count >= 0) free(list);
}
void by_scandir() {
  dirent** list = nullptr;
  say_list("sorted", scandir("tree", &list, nullptr, alphasort), list);
  say_list("filtered", scandir("tree/b", &list, no_dots, backwards), list);
  const int directory = open("tree", O_RDONLY | O_DIRECTORY);
  say_list("scandirat", scandirat(directory, "a", &list, no_dots, versionsort), list);
  close(directory);
  REPORT(scandir("/nowhere/at/all", &list, nullptr, nullptr));
  REPORT(scandir("tree/.hidden", &list, nullptr, nullptr));
}

int on_error(const char* path, int error) {
  make_a_call();
  say("  error at %s: %d\n", path, error);
  return error == ENOTDIR ? 0 : 1;
}
void expand(const char* pattern, int flags) {
  glob_t found{};
  found.gl_offs = 1;
  say("glob %s %x: %d\n", pattern, static_cast<unsigned>(flags),
      glob(pattern, flags, on_error, &found));
  for (size_t i = 0; i < found.gl_pathc; ++i) {
    say("  %s\n", found.gl_pathv[i + (flags & GLOB_DOOFFS ? 1 : 0)]);
  }
  globfree(&found);
}
int other_stat(const char* path, struct stat* status) {
  make_a_call();
  return stat(path, status);
}
void by_glob() {
  expand("tree/*/*.txt", 0);
  expand("tree/{a,b,c}/*", GLOB_BRACE | GLOB_MARK | GLOB_DOOFFS);
  expand("tree/nothing*", 0);
  expand("tree/nothing*", GLOB_NOCHECK);
  expand("tree/b/link/*", GLOB_NOSORT | GLOB_NOCHECK | GLOB_ERR);
  expand("tree/b/broken", 0);
  expand("tree/.hidden/*", 0);
  glob_t found{};
  found.gl_opendir = [](const char* path) -> void* { return opendir(path); };
  found.gl_readdir = [](void* directory) {
    make_a_call();
    return readdir(static_cast<DIR*>(directory));
  };
  found.gl_closedir = [](void* directory) { closedir(static_cast<DIR*>(directory)); };
  found.gl_stat = other_stat;
  found.gl_lstat = [](const char* path, struct stat* status) { return lstat(path, status); };
  say("by functions of its own: %d", glob("tree/a/*.txt", GLOB_ALTDIRFUNC, nullptr, &found));
  say(" %zu\n", found.gl_pathc);
  globfree(&found);
  wordexp_t words{};
  say("wordexp: %d\n", wordexp("tree/a/*.txt $(echo by a shell) ~nobody-such", &words, 0));
  for (size_t i = 0; i < words.we_wordc; ++i) say("  %s\n", words.we_wordv[i]);
  wordfree(&words);
  say("wordexp: %d\n", wordexp("$(false) `exit 3`", &words, WRDE_NOCMD));
}

std::vector<std::string> walked;
int walk(const char* path, const struct stat*, int type, FTW* where) {
  make_a_call();
  char text[256];
  snprintf(text, sizeof text, "%s type %d level %d base %d", path, type, where->level, where->base);
  walked.emplace_back(text);
  return strstr(path, "4.txt") ? 44 : 0;
}
int walk_on(const char* path, const struct stat* status, int type, FTW* where) {
  walk(path, status, type, where);
  return strstr(path, "/a") ? FTW_SKIP_SUBTREE : FTW_CONTINUE;
}
int walk_simply(const char* path, const struct stat* status, int type) {
  FTW where{};
  walk(path, status, type, &where);
  return 0;
}
void say_walk(const char* what, int result) {
  const int error = errno;
  std::sort(walked.begin(), walked.end());
  say("%s = %d, errno %d\n", what, result, error);
  for (const std::string& line : walked) say("  %s\n", line.c_str());
  walked.clear();
}
void by_walking() {
  errno = kUntouched;
  say_walk("nftw", nftw("tree/a", walk, 2, FTW_PHYS));
  say_walk("nftw by depth", nftw("tree/a", walk, 1, FTW_DEPTH | FTW_CHDIR));
  say_walk("nftw64", nftw64("tree/a/deep", reinterpret_cast<__nftw64_func_t>(walk), 5, 0));
  say_walk("nftw skipping", nftw("tree", walk_on, 5, FTW_ACTIONRETVAL | FTW_PHYS));
  const int found = nftw("tree/b", walk, 5, FTW_PHYS);
  walked.clear();
  say("nftw that ends early = %d\n", found);
  say_walk("ftw", ftw("tree/a", walk_simply, 5));
  errno = kUntouched;
  say_walk("nftw of nothing", nftw("/nowhere/at/all", walk, 5, 0));
  char tree[] = "tree";
  char* roots[] = {tree, nullptr};
  FTS* walk_of_tree = fts_open(roots, FTS_PHYSICAL, [](const FTSENT** a, const FTSENT** b) {
    make_a_call();
    return strcmp((*a)->fts_name, (*b)->fts_name);
  });
  while (const FTSENT* entry = fts_read(walk_of_tree)) {
    say("  fts %s %d\n", entry->fts_path, entry->fts_info);
  }
  REPORT(fts_close(walk_of_tree));
}

}  // namespace

int main() {
  make_tree();
  by_readdir();
  by_scandir();
  by_glob();
  by_walking();
  say_ending("removed", system("rm -r tree"));
  say("done\n");
}
