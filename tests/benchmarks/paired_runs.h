// Two ways of doing the same, measured in turn, so that a machine that gets slower or faster does
// so for both.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tailback::benchmarks {

// Figures by name, as one run measured them.
using Figures = std::map<std::string, double>;

struct Comparison {
  std::string name;
  double plain = 0;     // median
  double tailback = 0;  // median
  double ratio = 0;     // median of the pairs' ratios, tailback / plain
  double least_ratio = 0;
  double greatest_ratio = 0;
};

// Runs both in turn, `pairs` times, after one pair that is not counted unless `pairs` is 1. Every
// second pair begins with the other side.
std::vector<Comparison> compare(const std::function<Figures()>& plain,
                                const std::function<Figures()>& tailback, int pairs);

}  // namespace tailback::benchmarks
