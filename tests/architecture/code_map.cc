#include "tests/architecture/code_map.h"

#include <string_view>

namespace tailback {
namespace {

constexpr std::string_view kIntroduction =
    R"(# Code map

<!-- Generated from tests/architecture/house_rules.cc: TAILBACK_WRITE=1 build/bin/architecture_test -->

`instrument/` goes into the target, `runtime/` runs beside it. Both include `instrument/contract/`,
and nothing else of each other. [architecture.md](architecture.md) explains why.

## instrument/

| folder | what it is for |
|---|---|
)";

constexpr std::string_view kRooms =
    R"(
## runtime/

A room uses only rooms above it in this table. `tests/architecture/house_rules.cc` holds the list; a
test compares every `#include` with it.

| room | what it is for | uses | libraries |
|---|---|---|---|
)";

constexpr std::string_view kRest = R"(
## The rest

| folder | what it is for |
|---|---|
| [demos](../demos/README.md) | small programs, each with the report that it must give beside the code that causes it |
| [docs](README.md) | these pages |
| [findings](../findings/README.md) | surprises about other people's software, each a script that shows it |
| tests/unit | one room at a time, recorded images and segments among them |
| [tests/replays](../tests/replays/README.md) | recordings of what detectors read, and the reports they give |
| tests/architecture | the rules of the house: rooms, file lengths, what the recorder may need |
| tests/integration | real programs under Tailback: nginx, redis, node, Python's frameworks, the demos |
| tests/hostile | programs that do what a preloaded library fears; they must not notice it |
| [tests/suites](../tests/suites/RESULTS.md) | test suites of other projects, plain and watched |
| [tests/benchmarks](../tests/benchmarks/accuracy/RESULTS.md) | cost, and how right the reports are |
| tests/fuzz | damaged memory for the readers of interpreters' frames |
| tests/schema | recordings against the JSON Schema |
| tests/docs | the documents against the program |
)";

std::string in_backticks(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ", ";
    text += '`' + word + '`';
  }
  return text.empty() ? "–" : text;
}

}  // namespace

std::string code_map_page(const std::vector<Room>& rooms, const std::vector<Folder>& folders) {
  std::string page(kIntroduction);
  for (const Folder& folder : folders) {
    page += "| `" + folder.path + "` | " + folder.purpose + " |\n";
  }
  page += kRooms;
  for (const Room& room : rooms) {
    page += "| `" + room.name + "` | " + room.purpose + " | " + in_backticks(room.rooms) + " | " +
            in_backticks(room.libraries) + " |\n";
  }
  page += kRest;
  return page;
}

}  // namespace tailback
