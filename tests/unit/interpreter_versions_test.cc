// The tables of versions against what else names versions: the lists of the tests, setup.sh and the
// documents.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/interpreters/languages.h"
#include "runtime/interpreters/python/versions.h"
#include "runtime/interpreters/v8/versions.h"
#include "tests/unit/node_versions.h"
#include "tests/unit/python_versions.h"

namespace tailback {
namespace {

const std::filesystem::path kTop = TAILBACK_SOURCE_DIR;

std::string text_in(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::string> matches(const std::string& text, const char* pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it)
    found.push_back((*it)[1]);
  return found;
}

// The README and all pages, lines joined.
std::string documents() {
  std::string text = text_in(kTop / "README.md");
  for (const auto& entry : std::filesystem::directory_iterator(kTop / "docs"))
    if (entry.path().extension() == ".md") text += text_in(entry.path());
  return std::regex_replace(text, std::regex("\\s+"), " ");
}

TEST(PythonVersions, Tests_KnowThoseOfTheTable) {
  std::vector<std::string> read;
  for (const PythonRelease& release : python_releases()) read.push_back(text_of(release.version));
  EXPECT_EQ(read, std::vector<std::string>(std::begin(kPythonVersions), std::end(kPythonVersions)));
}

TEST(PythonVersions, VersionWithoutARow_HasNoRelease) {
  EXPECT_EQ(python_release({3, 7}), nullptr);
  EXPECT_EQ(python_release({3, 15}), nullptr);
  EXPECT_EQ(python_release({4, 14}), nullptr);
  for (const PythonRelease& release : python_releases())
    EXPECT_EQ(python_release(release.version), &release);
}

TEST(PythonVersions, Documents_NameTheRange) {
  const std::string oldest = text_of(python_releases().front().version);
  const std::string newest = text_of(python_releases().back().version);
  const auto named = matches(documents(), R"(Python 3\.8 to ([0-9.]+[0-9]))");
  EXPECT_FALSE(named.empty());
  EXPECT_EQ(oldest, "3.8");
  for (const std::string& version : named) EXPECT_EQ(version, newest);
}

TEST(NodeVersions, Tests_KnowThoseOfTheTable) {
  std::vector<std::string> read;
  for (const V8Release& release : v8_releases()) read.emplace_back(release.node);
  EXPECT_EQ(read, std::vector<std::string>(std::begin(kNodeVersions), std::end(kNodeVersions)));
}

TEST(NodeVersions, VersionWithoutARow_HasNoRelease) {
  EXPECT_EQ(v8_release({14, 1}), nullptr);
  EXPECT_EQ(v8_release({13, 7}), nullptr);
  for (const V8Release& release : v8_releases()) EXPECT_EQ(v8_release(release.version), &release);
}

TEST(NodeVersions, Setup_InstallsThem) {
  std::string wanted;
  for (const std::string& version : kNodeVersions) wanted += (wanted.empty() ? "" : " ") + version;
  const auto installed =
      matches(text_in(kTop / "setup.sh"), R"(for version in ([0-9 ]+); do packages\+=\("node\$)");
  EXPECT_EQ(installed, std::vector{wanted});
}

TEST(NodeVersions, Documents_NameThem) {
  const std::vector<std::string> wanted(std::begin(kNodeVersions), std::end(kNodeVersions));
  const auto named = matches(documents(), R"(Node (18, [0-9, ]+(?:and [0-9]+)?))");
  EXPECT_FALSE(named.empty());
  for (const std::string& text : named) EXPECT_EQ(matches(text, "([0-9]+)"), wanted) << text;
}

TEST(NodeVersions, Supported_NamesThem) {
  std::vector<std::string> named;
  for (const Language* language : languages())
    if (language->runtime == "node") named.push_back(language->supported());
  EXPECT_EQ(named, std::vector<std::string>{"Node 18, 20, 22 and 24"});
}

}  // namespace
}  // namespace tailback
