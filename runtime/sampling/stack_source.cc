#include "runtime/sampling/stack_source.h"

#include "runtime/symbolize/symbolizer.h"

namespace tailback {

namespace {

class LiveStackSource : public StackSource {
 public:
  RawStack unwind(const Snapshot& snapshot) override { return unwinder_->unwind(snapshot); }
  std::vector<Frame> symbolize(int pid, const ModuleMap& modules, const RawStack& stack) override {
    return symbolizer_.symbolize(pid, modules, stack);
  }
  std::vector<Frame> symbolize(int pid, const ModuleMap& modules, const RawFrame& frame) override {
    return symbolizer_.symbolize(pid, modules, frame);
  }
  std::optional<std::string> variable_at(int pid, const ModuleMap& modules,
                                         RemoteAddress address) override {
    return symbolizer_.variable_at(pid, modules, address);
  }
  bool has_cut_perf_map(int pid) override { return symbolizer_.has_cut_perf_map(pid); }

 private:
  std::unique_ptr<Unwinder> unwinder_ = make_unwinder();
  Symbolizer symbolizer_;
};

}  // namespace

std::unique_ptr<StackSource> make_stack_source() {
  return std::make_unique<LiveStackSource>();
}

}  // namespace tailback
