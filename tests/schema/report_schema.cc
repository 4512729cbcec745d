#include "tests/schema/report_schema.h"

#include <fstream>
#include <memory>
#include <stdexcept>

// The validator is a third party's header, which our warnings are not for.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

namespace tailback::test {
namespace {

const valijson::Schema& parsed_schema() {
  static const auto schema = [] {
    auto result = std::make_unique<valijson::Schema>();
    valijson::SchemaParser().populateSchema(
        valijson::adapters::NlohmannJsonAdapter(report_schema()), *result);
    return result;
  }();
  return *schema;
}

}  // namespace

const nlohmann::json& report_schema() {
  static const nlohmann::json schema = [] {
    const std::string path = TAILBACK_SOURCE_DIR "/runtime/report/schema/report.schema.json";
    std::ifstream file(path);
    nlohmann::json document = nlohmann::json::parse(file, nullptr, false);
    if (document.is_discarded()) throw std::runtime_error(path + ": missing, or no JSON");
    return document;
  }();
  return schema;
}

std::vector<std::string> schema_faults(const nlohmann::json& line) {
  valijson::Validator validator;
  valijson::ValidationResults results;
  std::vector<std::string> faults;
  if (validator.validate(parsed_schema(), valijson::adapters::NlohmannJsonAdapter(line),
                         &results)) {
    return faults;
  }
  for (valijson::ValidationResults::Error error; results.popError(error);) {
    std::string where;
    for (const std::string& step : error.context) {
      where += step;
    }
    faults.push_back(where + ": " + error.description);
  }
  return faults;
}

}  // namespace tailback::test
