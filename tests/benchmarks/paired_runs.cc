#include "tests/benchmarks/paired_runs.h"

#include <algorithm>

namespace tailback::benchmarks {

namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

std::vector<Comparison> compare(const std::function<Figures()>& plain,
                                const std::function<Figures()>& tailback, int pairs) {
  if (pairs > 1) {
    plain();
    tailback();
  }
  std::map<std::string, std::vector<double>> plain_values;
  std::map<std::string, std::vector<double>> tailback_values;
  for (int i = 0; i < pairs; ++i) {
    const bool plain_first = i % 2 == 0;
    Figures first = plain_first ? plain() : tailback();
    Figures second = plain_first ? tailback() : plain();
    for (const auto& [name, value] : plain_first ? first : second) {
      plain_values[name].push_back(value);
    }
    for (const auto& [name, value] : plain_first ? second : first) {
      tailback_values[name].push_back(value);
    }
  }
  std::vector<Comparison> comparisons;
  for (const auto& [name, values] : plain_values) {
    const auto other = tailback_values.find(name);
    if (other == tailback_values.end() || other->second.size() != values.size()) continue;
    std::vector<double> ratios;
    for (size_t i = 0; i < values.size(); ++i) ratios.push_back(other->second[i] / values[i]);
    const auto [least, greatest] = std::minmax_element(ratios.begin(), ratios.end());
    comparisons.push_back(
        {name, median(values), median(other->second), median(ratios), *least, *greatest});
  }
  return comparisons;
}

}  // namespace tailback::benchmarks
