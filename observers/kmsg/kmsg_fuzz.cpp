// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "collected.hpp"
#include "kmsg_observer.hpp"

// The kernel's log with any text in it, one record a line; an empty line is one that was lost.
// Whatever it says, what is told keeps to its bounds, and only the kernel's own records count.
namespace {

using namespace tapio;

class Fuzzed final : public kmsg::Log {
 public:
  explicit Fuzzed(std::string_view lines) : rest_(lines) {}
  Read next(std::string_view& record) override {
    if (rest_.empty()) return Read::end;
    const auto end = std::min(rest_.find('\n'), rest_.size());
    record = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return record.empty() ? Read::overwritten : Read::record;
  }

 private:
  std::string_view rest_;
};

void require(bool holds) {
  if (!holds) std::abort();
}

void check_paths(const OomReported& report) {
  constexpr std::string_view kKnown[] = {"", "CONSTRAINT_NONE", "CONSTRAINT_CPUSET",
                                         "CONSTRAINT_MEMORY_POLICY", "CONSTRAINT_MEMCG"};
  require(std::ranges::find(kKnown, report.constraint) != std::end(kKnown));
  require(report.constraint.empty() || (report.constraint == kKnown[4]) == report.in_cgroup);
  for (const auto path : {report.oom_memcg, report.task_memcg, report.group})
    require(path.empty() || path.starts_with('/'));
  require(report.in_cgroup || report.oom_memcg.empty());
  require(report.oom_memcg.empty() || report.task_memcg.empty() ||
          report.task_memcg.starts_with(report.oom_memcg));
}

void check(const OomReported& report) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 63;
  require(report.victim_name.size() <= kmsg::OomLog::kMaxName);
  require(report.invoker.size() <= kmsg::OomLog::kMaxName);
  require(report.tasks.size() <= OomReported::kMaxTasks);
  require(report.tasks.size() <= report.tasks_seen);
  require(std::ranges::is_sorted(report.tasks, std::greater(), &OomTask::rss));
  for (const OomTask& task : report.tasks) {
    require(task.name.size() <= kmsg::OomLog::kMaxName);
    require(task.rss < kMost && task.total_vm < kMost && task.swap < kMost);
  }
  for (const auto bytes : {report.total_vm, report.anon_rss, report.file_rss, report.shmem_rss})
    require(bytes % 1024 == 0 && bytes < kMost);
  require(report.limit == kNoLimit || report.limit < kMost);
  check_paths(report);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::chrono_literals;
  const std::string lines(data, data + size);
  kmsg::KmsgObserver observer({}, std::make_unique<Fuzzed>(lines), 1s, 4096);
  Collected out;
  std::size_t reports = 0;
  for (auto now = 2s; now <= 3s; ++now) {
    out.facts.clear();
    observer.on_tick(now, out);
    for (const Fact& fact : out.facts) {
      const auto* report = std::get_if<OomReported>(&fact);
      if (!report) continue;
      reports++;
      require(report->time >= 1s && report->time <= now);
      check(*report);
    }
  }
  std::size_t read = 0;
  for (const Record& record : out.records)
    for (const Value& value : record.values)
      if (const auto* text = std::get_if<std::string_view>(&value))
        for (const char c : *text) read += static_cast<unsigned char>(c);
  require(reports <= lines.size());
  return read == ~std::size_t{0};
}
