#include "runtime/observations/header_json.h"

#include "runtime/observations/observation_file.h"

namespace tailback {

namespace {

int64_t count(WallTime time) {
  return std::chrono::duration_cast<Nanoseconds>(time.time_since_epoch()).count();
}

WallTime wall_time(const Json& json) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(Nanoseconds(json.get<int64_t>())));
}

template <typename T>
Json json_of(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

}  // namespace

Json header_of(const ObserverSettings& settings, const SessionStart& start) {
  return {{"observations", kObservationsVersion},
          {"settings",
           {{"threshold", settings.threshold.count()},
            {"slow", settings.blocking_calls.slow.count()},
            {"strict", settings.blocking_calls.strict},
            {"own", settings.culprits.own},
            {"library", settings.culprits.library},
            {"loops", settings.loops.loops},
            {"not_loops", settings.loops.not_loops},
            {"lock_order", settings.lock_order},
            {"locks", settings.locks}}},
          {"start",
           {{"version", start.version},
            {"time", count(start.time)},
            {"command", start.command},
            {"pid", start.pid},
            {"observer_pid", start.observer_pid},
            {"host", start.host}}}};
}

ObserverSettings settings_in(const Json& header) {
  const Json& json = header.at("settings");
  ObserverSettings settings;
  settings.threshold = Nanoseconds(json.at("threshold").get<int64_t>());
  settings.blocking_calls.slow = Nanoseconds(json.at("slow").get<int64_t>());
  settings.blocking_calls.strict = json.at("strict");
  settings.culprits.own = json.at("own").get<std::vector<std::string>>();
  settings.culprits.library = json.at("library").get<std::vector<std::string>>();
  settings.loops.loops = json.at("loops").get<std::vector<std::string>>();
  settings.loops.not_loops = json.at("not_loops").get<std::vector<std::string>>();
  settings.lock_order = json.at("lock_order");
  settings.locks = json.at("locks");
  return settings;
}

SessionStart start_in(const Json& header) {
  const Json& json = header.at("start");
  SessionStart start;
  start.version = json.at("version");
  start.time = wall_time(json.at("time"));
  start.command = json.at("command").get<std::vector<std::string>>();
  start.pid = json.at("pid");
  start.observer_pid = json.at("observer_pid");
  start.host = json.at("host");
  start.threshold = settings_in(header).threshold;
  return start;
}

Json end_of(const SessionEnd& end) {
  return {{"time", count(end.time)},
          {"duration", end.duration.count()},
          {"exit_status", json_of(end.exit_status)},
          {"signal", json_of(end.signal)}};
}

void add_end(const Json& json, SessionEnd& end) {
  if (json.is_null()) return;
  end.time = wall_time(json.at("time"));
  end.duration = Nanoseconds(json.at("duration").get<int64_t>());
  if (!json.at("exit_status").is_null()) end.exit_status = json.at("exit_status").get<int>();
  if (!json.at("signal").is_null()) end.signal = json.at("signal").get<int>();
}

}  // namespace tailback
