// SPDX-License-Identifier: Apache-2.0
#include "kmsg_observer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "kmsg_line.hpp"
#include "kmsg_schemas.hpp"

namespace tapio::kmsg {

namespace {

class DeviceLog final : public Log {
 public:
  DeviceLog(Fd fd, Outside& outside) : fd_(std::move(fd)), outside_(outside) {}

  Read next(std::string_view& record) override {
    answer_ = outside_.ask("kernel log", [this] { return look(); });
    if (answer_.empty()) return Read::end;
    record = std::string_view(answer_).substr(1);
    switch (answer_.front()) {
      case kRecord:
        return Read::record;
      case kOverwritten:
        return Read::overwritten;
      case kUnreadable:
        return Read::unreadable;
      default:
        return Read::end;
    }
  }

 private:
  static constexpr std::size_t kMaxRecord = 16 << 10;  // CONSOLE_EXT_LOG_MAX is 8 KiB
  static constexpr char kRecord = 'r', kOverwritten = 'o', kUnreadable = 'u', kEnd = 'e';

  // A read gives one record, or fails with EINVAL where it is larger than the buffer.
  std::string look() {
    const auto size = ::read(fd_.get(), buffer_.data(), buffer_.size());
    if (size > 0) {
      const std::span<char> record(buffer_.data(), static_cast<std::size_t>(size));
      leave_oom_alone(record);
      return std::string(1, kRecord).append(record.begin(), record.end());
    }
    if (size < 0 && errno == EPIPE) return {kOverwritten};
    if (size < 0 && errno == EINVAL) return {kUnreadable};
    return {kEnd};
  }

  Fd fd_;
  Outside& outside_;
  std::string answer_;
  std::array<char, kMaxRecord> buffer_{};
};

OomTask kept(const Task& task, Arena& arena) {
  return {.pid = static_cast<std::uint32_t>(task.pid),
          .uid = static_cast<std::uint32_t>(task.uid),
          .total_vm = task.total_vm,
          .rss = task.rss,
          .page_tables = task.page_tables,
          .swap = task.swap,
          .score_adj = task.score_adj,
          .name = arena.keep(task.name)};
}

// `tasks` lives as long as the fact is used for.
OomReported fact_of(const Report& report, std::span<const OomTask> tasks, Arena& arena) {
  const auto& [victim, around] = report;
  OomReported fact{.victim_pid = victim.pid,
                   .victim_name = arena.keep(victim.name),
                   .victim_uid = victim.uid,
                   .score_adj = victim.score_adj,
                   .total_vm = victim.total_vm,
                   .anon_rss = victim.anon_rss,
                   .file_rss = victim.file_rss,
                   .shmem_rss = victim.shmem_rss,
                   .constraint = arena.keep(around.constraint),
                   .oom_memcg = arena.keep(around.oom_memcg),
                   .task_memcg = arena.keep(around.task_memcg),
                   .invoker = arena.keep(around.invoker),
                   .tasks = tasks,
                   .tasks_seen = around.tasks_seen,
                   .in_cgroup = victim.in_cgroup,
                   .invoker_pid = around.invoker_pid,
                   .chosen_pid = around.chosen_pid,
                   .group = arena.keep(around.group),
                   .usage_logged = around.memory.has_value(),
                   .swap_logged = around.swap.has_value(),
                   .swap_with_memory = around.swap_with_memory};
  if (around.memory) {
    fact.usage = around.memory->usage;
    fact.limit = around.memory->limit;
    fact.failures = around.memory->failures;
  }
  if (around.swap) {
    fact.swap_usage = around.swap->usage;
    fact.swap_limit = around.swap->limit;
  }
  return fact;
}

Value text_or_none(std::string_view text) {
  return text.empty() ? Value() : Value(text);
}
Value number_or_none(bool known, std::uint64_t number) {
  return known && number != kNoLimit ? Value(number) : Value();
}

std::span<const std::string_view> as_texts(std::span<const OomTask> tasks, Arena& arena) {
  const auto list = arena.list(tasks.size());
  std::ranges::transform(tasks, list.begin(), [&](const OomTask& task) {
    return arena.keep(fmt::format("{} {} {}", task.pid, task.name, task.rss));
  });
  return list;
}

Record record_of(const OomReported& fact, Arena& arena) {
  const Origin origin{.time = fact.time, .pid = fact.victim_pid, .event_class = TAPIO_CRITICAL};
  return kOomReport(
      origin, fact.victim_name, fact.victim_uid, fact.score_adj, fact.in_cgroup,
      text_or_none(fact.constraint), text_or_none(fact.oom_memcg), text_or_none(fact.task_memcg),
      text_or_none(fact.group), number_or_none(fact.chosen_pid != 0, fact.chosen_pid),
      text_or_none(fact.invoker), number_or_none(fact.invoker_pid != 0, fact.invoker_pid),
      fact.total_vm, fact.anon_rss, fact.file_rss, fact.shmem_rss,
      number_or_none(fact.usage_logged, fact.usage), number_or_none(fact.usage_logged, fact.limit),
      number_or_none(fact.usage_logged, fact.failures),
      number_or_none(fact.swap_logged, fact.swap_usage),
      number_or_none(fact.swap_logged, fact.swap_limit),
      fact.swap_logged ? Value(fact.swap_with_memory) : Value(), as_texts(fact.tasks, arena),
      fact.tasks_seen);
}

Status open_at_end(const char* path, Fd& fd) {
  fd = Fd(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd && (errno == EPERM || errno == EACCES))
    return fail(Fault::denied,
                fmt::format("open {}: not permitted; give it CAP_SYSLOG and the right to read the "
                            "file, in a container also the device",
                            path));
  if (!fd && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
    return fail(Fault::denied,
                fmt::format("open {}: it is not there; in a container, give it the device", path));
  if (!fd) return from_errno(errno, fmt::format("open {}", path));
  if (::lseek(fd.get(), 0, SEEK_END) < 0) return from_errno(errno, fmt::format("seek {}", path));
  return {};
}

}  // namespace

Result<std::unique_ptr<Log>> open_log(Outside& outside, const char* path) {
  Fd fd;
  TRY(outside.attempt("open kernel log", [&] { return open_at_end(path, fd); }));
  return std::make_unique<DeviceLog>(std::move(fd), outside);
}

void leave_oom_alone(std::span<char> record) {
  const std::string_view all(record.data(), record.size());
  const auto semicolon = std::min(all.find(';'), all.size());
  const auto line = parse_line(all);
  const bool kept = line && line->facility == 0 && OomLog::may_concern(line->text);
  // Behind the first line are the properties of a device.
  const auto end = kept ? std::min(all.find('\n'), all.size()) : semicolon;
  for (char& c : record.subspan(std::min(end + 1, record.size())))
    if (c != '\n') c = '.';
}

KmsgObserver::KmsgObserver(const Config& config, std::unique_ptr<Log> log, MonotonicTime now,
                           std::uint64_t page_bytes)
    : log_(std::move(log)),
      oom_(page_bytes),
      bytes_per_second_(config.bytes_per_second.bytes),
      all_read_(now) {}

Status KmsgObserver::on_sample(const wire::Sample&, Output&) {
  return invalid("it has no programs");
}

void KmsgObserver::on_tick(MonotonicTime now, Output& out) {
  const auto before = all_read_;
  std::uint64_t bytes = 0;
  std::size_t reports = 0;
  tables_.clear();
  for (std::size_t i = 0; i < kMaxRecords && bytes < bytes_per_second_ && reports < kMaxReports;
       ++i) {
    std::string_view record;
    const auto read = log_->next(record);
    if (read == Log::Read::end) {
      all_read_ = now;
      break;
    }
    malformed_ += read == Log::Read::unreadable;
    if (read != Log::Read::record) {
      oom_.forget();
      continue;
    }
    bytes += record.size();
    reports += on_record(record, now, out);
  }
  report_lost(before, now, out);
}

bool KmsgObserver::on_record(std::string_view record, MonotonicTime now, Output& out) {
  constexpr std::uint32_t kKernel = 0;  // facility; what is written to /dev/kmsg never has it
  const auto line = parse_line(record);
  if (!line) {
    malformed_++;
    return false;
  }
  count_lost(line->sequence);
  if (line->facility != kKernel) return false;
  const auto report = oom_.feed(line->text, line->microseconds);
  if (!report) return false;
  auto& tasks = tables_.emplace_back();
  for (const Task& task : report->around.tasks) tasks.push_back(kept(task, out.arena()));
  auto fact = fact_of(*report, tasks, out.arena());
  fact.time = time_of(line->microseconds, now);
  fact.evidence = out.next_id();
  out.publish(fact);
  out.emit(record_of(fact, out.arena()));
  return true;
}

void KmsgObserver::count_lost(std::uint64_t sequence) {
  if (next_ != 0 && sequence > next_) {
    lost_ += sequence - next_;
    oom_.forget();
  }
  next_ = sequence + 1;
}

void KmsgObserver::report_lost(MonotonicTime since, MonotonicTime now, Output& out) {
  const auto count = lost_ - told_;
  if (count == 0) return;
  told_ = lost_;
  out.publish(Lost{
      .from = since, .to = now, .observer = "kmsg", .event_class = TAPIO_CRITICAL, .count = count});
  out.emit(kLost(Origin{.time = now}, count));
}

MonotonicTime KmsgObserver::time_of(std::uint64_t microseconds, MonotonicTime now) const {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 1000;
  const MonotonicTime said(static_cast<std::int64_t>(std::min(microseconds, kMost) * 1000));
  return std::clamp(said, std::min(all_read_, now), now);
}

}  // namespace tapio::kmsg
