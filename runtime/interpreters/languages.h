// Languages that an interpreter runs: what their frames, files and programs are called. Needs plain
// values only, so that reports can ask too.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runtime/values/frame.h"

namespace tailback {

struct Language {
  std::string_view word;     // as Frame::language has it: "python"
  std::string_view name;     // for people: "Python"
  std::string_view runtime;  // the word for the program that runs it: "python", "node"

  // Whether a frame, of the language or native, is of the interpreter's own library. Installed
  // packages are not.
  bool (*is_own_library)(const Frame& frame);
  // Whether a frame of the language is of an installed package.
  bool (*is_package)(const Frame& frame);
  // Whether the file with this path is the interpreter: its program, or the library that has it.
  bool (*is_module)(std::string_view path);
  // Whether the interpreter in such a file runs the language in one thread at a time.
  bool (*runs_one_thread)(std::string_view path);
  // The versions whose frames are read: "Python 3.8 to 3.14".
  std::string (*supported)();
};

#define INTERPRETER(folder)   \
  namespace folder {          \
  const Language& language(); \
  }
#include "runtime/interpreters/list.inc"
#undef INTERPRETER

// Those of all interpreters, in the order of list.inc.
std::span<const Language* const> languages();

// The language of a frame. nullptr: it is native, or its interpreter is not in the list (Java).
const Language* language_of(const Frame& frame);

// The language of the interpreter that the file with this path is. nullptr: it is none.
const Language* language_of_module(std::string_view path);

// Whether the frame is of an interpreter's own library.
bool is_of_interpreter_library(const Frame& frame);

}  // namespace tailback
