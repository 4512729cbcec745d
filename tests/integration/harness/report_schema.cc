#include "tests/integration/harness/report_schema.h"

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

#include "tests/integration/harness/programs.h"
#include "tests/integration/harness/test_directory.h"

namespace tailback::test {
namespace {

constexpr char kSchemaFile[] = "runtime/report/schema/report.schema.json";

const valijson::Schema& report_schema() {
  static const auto schema = [] {
    const std::filesystem::path path = source_file(kSchemaFile);
    const nlohmann::json document = nlohmann::json::parse(file_text(path), nullptr, false);
    if (document.is_discarded()) {
      throw std::runtime_error(path.string() + ": missing, or no JSON");
    }
    auto result = std::make_unique<valijson::Schema>();
    valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(document),
                                            *result);
    return result;
  }();
  return *schema;
}

}  // namespace

std::vector<std::string> schema_faults(const nlohmann::json& line) {
  valijson::Validator validator;
  valijson::ValidationResults results;
  std::vector<std::string> faults;
  if (validator.validate(report_schema(), valijson::adapters::NlohmannJsonAdapter(line),
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
