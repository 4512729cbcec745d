#include "runtime/observations/stack_sources.h"

#include <utility>

#include "runtime/observations/questions.h"
#include "runtime/observations/value_json.h"

namespace tailback {

namespace {

// A stack that the target has copied has no number: its registers name it.
std::string unwind_question(const Snapshot& snapshot) {
  if (snapshot.id != 0) return question("stack", snapshot.id);
  const contract::Context& context = snapshot.registers.context;
  return question("stack of", snapshot.pid, context.instruction_pointer, context.stack_pointer,
                  context.saved[contract::kRbp]);
}

std::string frames_question(int pid, const RawStack& stack) {
  std::string text = question("frames", pid);
  for (const RawFrame& frame : stack.frames) {
    text += ' ' + std::to_string(frame.address.value);
    if (!frame.after_call) text += '!';
  }
  return text;
}

std::string frame_question(int pid, const RawFrame& frame) {
  return question("frame", pid, frame.address.value, frame.after_call ? 1 : 0);
}

class RecordingStacks final : public StackSource {
 public:
  RecordingStacks(std::unique_ptr<StackSource> real, ObservationWriter& writer)
      : real_(std::move(real)), writer_(writer) {}

  RawStack unwind(const Snapshot& snapshot) override {
    RawStack stack = real_->unwind(snapshot);
    writer_.write_name(unwind_question(snapshot), stack);
    return stack;
  }
  std::vector<Frame> symbolize(int pid, const ModuleMap& modules, const RawStack& stack) override {
    std::vector<Frame> frames = real_->symbolize(pid, modules, stack);
    writer_.write_name(frames_question(pid, stack), numbers_of(frames));
    return frames;
  }
  std::vector<Frame> symbolize(int pid, const ModuleMap& modules, const RawFrame& frame) override {
    std::vector<Frame> frames = real_->symbolize(pid, modules, frame);
    writer_.write_name(frame_question(pid, frame), numbers_of(frames));
    return frames;
  }
  std::optional<std::string> variable_at(int pid, const ModuleMap& modules,
                                         RemoteAddress address) override {
    auto name = real_->variable_at(pid, modules, address);
    writer_.write_name(question("variable", pid, address.value), json_of(name));
    return name;
  }
  bool has_cut_perf_map(int pid) override {
    const bool is_cut = real_->has_cut_perf_map(pid);
    writer_.write_name(question("cut_perf_map", pid), is_cut);
    return is_cut;
  }

 private:
  Json numbers_of(const std::vector<Frame>& frames) {
    Json numbers = Json::array();
    for (const Frame& frame : frames) numbers.push_back(writer_.number_of(frame));
    return numbers;
  }

  std::unique_ptr<StackSource> real_;
  ObservationWriter& writer_;
};

class ReplayStacks final : public StackSource {
 public:
  explicit ReplayStacks(const Observations& observations) : observations_(observations) {}

  RawStack unwind(const Snapshot& snapshot) override {
    const Json* stack = find(unwind_question(snapshot));
    return stack ? stack->get<RawStack>() : RawStack{};
  }
  std::vector<Frame> symbolize(int pid, const ModuleMap&, const RawStack& stack) override {
    return frames(find(frames_question(pid, stack)));
  }
  std::vector<Frame> symbolize(int pid, const ModuleMap&, const RawFrame& frame) override {
    return frames(find(frame_question(pid, frame)));
  }
  std::optional<std::string> variable_at(int pid, const ModuleMap&,
                                         RemoteAddress address) override {
    const Json* name = find(question("variable", pid, address.value));
    return name ? optional_from<std::string>(*name) : std::nullopt;
  }
  bool has_cut_perf_map(int pid) override {
    const Json* is_cut = find(question("cut_perf_map", pid));
    return is_cut && is_cut->get<bool>();
  }

 private:
  const Json* find(const std::string& question) const {
    const auto known = observations_.names.find(question);
    return known == observations_.names.end() ? nullptr : &known->second;
  }
  std::vector<Frame> frames(const Json* numbers) const {
    std::vector<Frame> frames;
    if (!numbers) return frames;
    for (const Json& number : *numbers) {
      const auto frame = observations_.values.find(number.get<uint64_t>());
      if (frame != observations_.values.end()) frames.push_back(frame->second.get<Frame>());
    }
    return frames;
  }

  const Observations& observations_;
};

std::string loop_end_question(const Sample& sample) {
  return question("after loop", sample.snapshot->id);
}

class RecordingLoopEnds final : public LoopEnds {
 public:
  explicit RecordingLoopEnds(ObservationWriter& writer) : writer_(writer) {}
  bool proves(const StallSeen& stall, const Sample& sample, const RawStack& stack) override {
    const bool is_proven = LoopEnds::proves(stall, sample, stack);
    if (is_proven) writer_.write_name(loop_end_question(sample), is_proven);
    return is_proven;
  }

 private:
  ObservationWriter& writer_;
};

class ReplayLoopEnds final : public LoopEnds {
 public:
  explicit ReplayLoopEnds(const Observations& observations) : observations_(observations) {}
  bool proves(const StallSeen&, const Sample& sample, const RawStack&) override {
    return observations_.names.contains(loop_end_question(sample));
  }

 private:
  const Observations& observations_;
};

}  // namespace

std::unique_ptr<LoopEnds> make_recording_loop_ends(ObservationWriter& writer) {
  return std::make_unique<RecordingLoopEnds>(writer);
}

std::unique_ptr<LoopEnds> make_replay_loop_ends(const Observations& observations) {
  return std::make_unique<ReplayLoopEnds>(observations);
}

std::unique_ptr<StackSource> make_recording_stacks(std::unique_ptr<StackSource> real,
                                                   ObservationWriter& writer) {
  return std::make_unique<RecordingStacks>(std::move(real), writer);
}

std::unique_ptr<StackSource> make_replay_stacks(const Observations& observations) {
  return std::make_unique<ReplayStacks>(observations);
}

}  // namespace tailback
