// From machine code of V8's baseline compiler to bytecode.
#include "runtime/interpreters/v8/baseline.h"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/interpreters/v8/bytecodes.h"

namespace tailback {
namespace {

std::vector<std::byte> bytes(const std::vector<int>& values) {
  std::vector<std::byte> out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

constexpr V8Version kNode20{11, 3};

// LdaZero; TestGreaterThan a0, [0]; JumpIfFalse [16]; LdaCurrentContextSlot.Wide [300]; Return
const std::vector<std::byte> kCode =
    bytes({0x0c, 0x6e, 0x03, 0x00, 0x99, 0x10, 0x00, 0x16, 0x2c, 0x01, 0xa9});

TEST(V8Baseline, Lengths_OfVersion) {
  std::vector<size_t> lengths;
  for (size_t at = 0; at < kCode.size(); at += lengths.back())
    lengths.push_back(bytecode_length(kNode20, std::span(kCode).subspan(at)));
  EXPECT_EQ(lengths, (std::vector<size_t>{1, 3, 2, 4, 1}));
  EXPECT_EQ(bytecode_length({1, 0}, kCode), 0u);
  EXPECT_EQ(bytecode_length(kNode20, {}), 0u);
  EXPECT_EQ(bytecode_length(kNode20, std::span(kCode).subspan(1, 2)), 0u) << "cut off";
  EXPECT_EQ(bytecode_length(kNode20, bytes({0x00})), 0u);
  EXPECT_EQ(bytecode_length(kNode20, bytes({0xff})), 0u) << "there is none";
}

TEST(V8Baseline, Table_LeadsToBytecode) {
  // 20 bytes before the first; then 10, 200, 30, 5, 6 of machine code.
  const auto table = bytes({20, 10, 0x80 | 72, 1, 30, 5, 6});
  const auto at = [&](uint64_t offset) {
    return bytecode_offset_at(kNode20, kCode, table, offset);
  };
  EXPECT_FALSE(at(0));
  EXPECT_FALSE(at(20)) << "before the first";
  EXPECT_EQ(at(21), 0u);
  EXPECT_EQ(at(30), 0u) << "a return address may be the end";
  EXPECT_EQ(at(31), 1u);
  EXPECT_EQ(at(230), 1u);
  EXPECT_EQ(at(260), 4u);
  EXPECT_EQ(at(265), 6u);
  EXPECT_EQ(at(271), 10u);
  EXPECT_FALSE(at(272));
}

TEST(V8Baseline, BrokenTable_Nothing) {
  EXPECT_FALSE(bytecode_offset_at(kNode20, kCode, {}, 5));
  EXPECT_FALSE(bytecode_offset_at(kNode20, kCode, bytes({20, 10}), 40)) << "ends early";
  EXPECT_FALSE(bytecode_offset_at(kNode20, kCode, bytes({20, 0x80}), 40)) << "half a number";
  EXPECT_FALSE(bytecode_offset_at(kNode20, bytes({0xff, 0xff}), bytes({20, 10, 10}), 35));
}

}  // namespace
}  // namespace tailback
