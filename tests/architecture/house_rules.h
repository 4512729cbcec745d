// The rules that the sources keep, each a function from files to what breaks it: one line each,
// with file and line. Empty: nothing does.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/architecture/source_files.h"

namespace tailback {

// A room of runtime/: what it may include.
struct Room {
  std::string name;
  std::vector<std::string> rooms;      // earlier ones, or "room/header.h" for one header alone
  std::vector<std::string> libraries;  // third parties: see kLibraries in house_rules.cc
  std::string purpose = {};            // one line of docs/code-map.md
};

// A folder outside runtime/, for docs/code-map.md.
struct Folder {
  std::string path;
  std::string purpose;
};

// The one list of who may use whom. A room uses only rooms above its own line.
const std::vector<Room>& house_rooms();
// All folders of instrument/ that have sources.
const std::vector<Folder>& house_folders();

using Violations = std::vector<std::string>;

// Nobody may use a room that is not above his own line: the list itself.
Violations cycles_among(const std::vector<Room>& rooms);
// instrument/ includes itself and libc; its contract includes nothing but itself.
Violations holes_in_the_wall(const std::vector<SourceFile>& files);
// runtime/ includes of itself, of the contract and of third parties what the list allows; and its
// build files link no more than that.
Violations forbidden_uses(const std::vector<SourceFile>& files, const std::vector<Room>& rooms);
Violations too_long_files(const std::vector<SourceFile>& files, size_t most_lines);

}  // namespace tailback
