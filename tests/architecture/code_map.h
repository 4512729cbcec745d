// docs/code-map.md, from the list of rooms: the page can't drift from what the rules allow.
#pragma once

#include <string>
#include <vector>

#include "tests/architecture/house_rules.h"

namespace tailback {

// The whole page.
std::string code_map_page(const std::vector<Room>& rooms, const std::vector<Folder>& folders);

}  // namespace tailback
