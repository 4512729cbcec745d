// What is checked before a command is started: that it exists, can be executed, and will load the
// recorder. Whatever is wrong is known, and said, before anything runs.
#pragma once

#include <sys/types.h>

#include <string>

namespace tailback {

// Who would execute the program. The loader drops a preload if executing changes the ids.
struct Identity {
  uid_t uid;
  gid_t gid;
  bool no_new_privileges;  // prctl(2): set-id bits and file capabilities have no effect

  static Identity of_this_process();
};

struct Program {
  std::string path;   // what to execute: the name, found on PATH as execvp(3) finds it
  std::string image;  // the file that the kernel loads in the end: `path`, or what interprets it
  // One line, without an end: that only a part of what the program does will be seen. Mostly empty.
  std::string remark;
  // The remark is that ThreadSanitizer's findings stand in its text only.
  bool findings_in_text_only = false;
  // It is compiled for ThreadSanitizer: it may need addresses that are not random.
  bool has_thread_sanitizer = false;
};

// Follows scripts to their interpreters (`#!`, also through env). Throws LaunchError if the program
// can't be executed, or if it can be but the recorder would not be loaded into it.
Program check_program(const std::string& name,
                      const Identity& identity = Identity::of_this_process());

}  // namespace tailback
