#include "runtime/report/race_record.h"

#include <algorithm>

#include "runtime/report/json_pieces.h"
#include "runtime/report/record_pieces.h"
#include "runtime/report/wall_time.h"

namespace tailback {
namespace {

class RaceRenderer : public JsonPieces {
 public:
  using JsonPieces::JsonPieces;

  Json operator()(const Race& race) const {
    Json threads = Json::array();
    for (const RaceThread& one : race.threads) threads.push_back(thread(one));
    Json accesses = Json::array();
    for (const RaceAccess& one : race.accesses) accesses.push_back(access(one));
    Json mutexes = Json::array();
    for (const RaceMutex& one : race.mutexes) mutexes.push_back(mutex(one));
    Json stacks = Json::array();
    for (const RaceStack& one : race.stacks) stacks.push_back(stack(one));
    return {{"schema", kReportSchema},
            {"type", word(race.type)},
            {"kind", cut(race.kind)},
            {"found_by", "ThreadSanitizer"},
            {"time", rfc3339(race.time)},
            {"pid", race.pid},
            {"process", or_null(race.process)},
            {"accesses", std::move(accesses)},
            {"stacks", std::move(stacks)},
            {"location", race.location ? location(*race.location) : Json(nullptr)},
            {"mutexes", std::move(mutexes)},
            {"threads", std::move(threads)},
            {"sleep", race.sleep.stack.empty() ? Json(nullptr) : stack(race.sleep)},
            {"notes", texts(race.notes)},
            {"advice", cut(race.advice)},
            {"fingerprint", cut(race.fingerprint)}};
  }

 private:
  Json stack(const RaceStack& one) const {
    Listed list = listed(one.stack, one.culprit, true, kStackFrames);
    return {{"culprit", list.culprit}, {"stack", std::move(list.stack)}};
  }
  Json stack_or_null(const RaceStack& one) const {
    return one.stack.empty() ? Json(nullptr) : stack(one);
  }

  Json thread(const RaceThread& one) const {
    return {{"id", one.id},
            {"tid", one.tid > 0 ? Json(one.tid) : Json(nullptr)},
            {"name", or_null(one.name)},
            {"running", one.running},
            {"parent", or_null(one.parent)},
            {"created", stack_or_null(one.created)}};
  }
  Json access(const RaceAccess& one) const {
    return {{"thread", one.thread}, {"address", offset(one.address)}, {"size", one.size},
            {"write", one.write},   {"atomic", one.atomic},           {"at", stack(one.at)}};
  }
  Json location(const RaceLocation& one) const {
    return {{"kind", cut(one.kind)},
            {"name", or_null(one.name)},
            {"address", offset(one.address)},
            {"size", one.size},
            {"thread", or_null(one.thread)},
            {"fd", or_null(one.fd)},
            {"allocated", stack_or_null(one.allocated)}};
  }
  Json mutex(const RaceMutex& one) const {
    return {{"id", one.id},
            {"address", offset(one.address)},
            {"name", or_null(one.name)},
            {"destroyed", one.destroyed},
            {"created", stack_or_null(one.created)}};
  }
};

using nlohmann::json;

RaceStack stack_of(const json& value) {
  RaceStack stack;
  bool complete = true;
  read_stack(Fields(value), "complete", stack.stack, stack.culprit, complete);
  return stack;
}

RaceStack stack_of(const Fields& fields, const char* name) {
  const json* const value = fields.find(name);
  return value ? stack_of(*value) : RaceStack{};
}

RaceThread thread_of(const json& value) {
  const Fields fields(value);
  RaceThread thread;
  thread.id = fields.number<int>("id");
  thread.tid = fields.number<int>("tid");
  thread.name = fields.text("name");
  thread.running = fields.flag("running", true);
  thread.parent = fields.integer<int>("parent");
  thread.created = stack_of(fields, "created");
  return thread;
}

RaceAccess access_of(const json& value) {
  const Fields fields(value);
  RaceAccess access;
  access.thread = fields.number<int>("thread");
  access.address = fields.address("address");
  access.size = fields.number<uint64_t>("size");
  access.write = fields.flag("write", false);
  access.atomic = fields.flag("atomic", false);
  access.at = stack_of(fields, "at");
  return access;
}

RaceLocation location_of(const json& value) {
  const Fields fields(value);
  RaceLocation location;
  location.kind = fields.text("kind");
  location.name = fields.text("name");
  location.address = fields.address("address");
  location.size = fields.number<uint64_t>("size");
  location.thread = fields.integer<int>("thread");
  location.fd = fields.integer<int>("fd");
  location.allocated = stack_of(fields, "allocated");
  return location;
}

RaceMutex mutex_of(const json& value) {
  const Fields fields(value);
  RaceMutex mutex;
  mutex.id = fields.number<uint64_t>("id");
  mutex.address = fields.address("address");
  mutex.name = fields.text("name");
  mutex.destroyed = fields.flag("destroyed", false);
  mutex.created = stack_of(fields, "created");
  return mutex;
}

}  // namespace

std::string json_line(const Race& race) {
  return json_text(RaceRenderer(kListedStringBytes)(race));
}

std::optional<RaceType> race_type_of(std::string_view type) {
  const auto* const it = std::find(kRaceTypeWords.begin(), kRaceTypeWords.end(), type);
  if (it == kRaceTypeWords.end()) return std::nullopt;
  return static_cast<RaceType>(it - kRaceTypeWords.begin());
}

Race race_of(RaceType type, const Fields& fields) {
  Race race;
  race.type = type;
  race.kind = fields.text("kind");
  race.time = fields.time("time");
  race.pid = fields.number<int>("pid");
  race.process = fields.text("process");
  for (const json& one : fields.list("accesses")) race.accesses.push_back(access_of(one));
  for (const json& one : fields.list("stacks")) race.stacks.push_back(stack_of(one));
  if (const json* const value = fields.find("location")) race.location = location_of(*value);
  for (const json& one : fields.list("mutexes")) race.mutexes.push_back(mutex_of(one));
  for (const json& one : fields.list("threads")) race.threads.push_back(thread_of(one));
  race.sleep = stack_of(fields, "sleep");
  race.notes = fields.texts("notes");
  race.advice = fields.text("advice");
  race.fingerprint = fields.text("fingerprint");
  return race;
}

}  // namespace tailback
