// SPDX-License-Identifier: Apache-2.0
#include "kmsg_oom.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "kmsg_line.hpp"

namespace tapio::kmsg {

namespace {

constexpr std::string_view kInvoked = " invoked oom-killer: gfp_mask=";
constexpr std::string_view kKillLine = "oom-kill:constraint=";
constexpr std::string_view kInMemcg = "CONSTRAINT_MEMCG";
constexpr std::array<std::string_view, 4> kConstraints = {"CONSTRAINT_NONE", "CONSTRAINT_CPUSET",
                                                          "CONSTRAINT_MEMORY_POLICY", kInMemcg};

// What stands between two fixed texts that begin and end `text`.
std::optional<std::string_view> between(std::string_view text, std::string_view before,
                                        std::string_view after) {
  if (text.size() < before.size() + after.size() || !text.starts_with(before) ||
      !text.ends_with(after))
    return {};
  return text.substr(before.size(), text.size() - before.size() - after.size());
}

// Reads on from the beginning of a text; what does not fit leaves it failed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  Scanner& skip(std::string_view expected) {
    if (!rest_.starts_with(expected)) return fail();
    rest_.remove_prefix(expected.size());
    return *this;
  }
  Scanner& blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    return *this;
  }
  Scanner& number(std::int64_t& out) {
    const bool minus = rest_.starts_with('-');
    const auto end = std::min(rest_.find_first_not_of("0123456789", minus ? 1 : 0), rest_.size());
    const auto value = signed_number(rest_.substr(0, end));
    if (!value) return fail();
    out = *value;
    rest_.remove_prefix(end);
    return *this;
  }
  template <typename T>
  Scanner& number(T& out) {
    std::int64_t value = 0;
    number(value);
    if (ok_ && !std::in_range<T>(value)) return fail();
    if (ok_) out = static_cast<T>(value);
    return *this;
  }
  Scanner& kilobytes(std::uint64_t& out) {
    constexpr std::uint64_t kUnit = 1024, kMost = std::numeric_limits<std::int64_t>::max() / kUnit;
    std::uint64_t value = 0;
    number(value).skip("kB");
    if (ok_ && value > kMost) return fail();
    if (ok_) out = value * kUnit;
    return *this;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  Scanner& fail() {
    ok_ = false;
    return *this;
  }
  std::string_view rest_;
  bool ok_ = true;
};

// "usage 16384kB, limit 9007199254740988kB, failcnt 49". Without a limit the kernel shows
// PAGE_COUNTER_MAX, which is LONG_MAX in whole pages.
std::optional<MemoryUse> parse_use(std::string_view text) {
  constexpr std::uint64_t kBeyondAnyMachine = std::uint64_t{1} << 62;
  MemoryUse use;
  Scanner scan(text);
  scan.skip("usage ").kilobytes(use.usage).skip(", limit ").kilobytes(use.limit);
  if (!scan.skip(", failcnt ").number(use.failures).done()) return {};
  if (use.limit >= kBeyondAnyMachine) use.limit = kNoLimit;
  return use;
}

// "Memory cgroup out of memory: Killed process 812 (nginx) total-vm:13332kB, anon-rss:12160kB,
// file-rss:544kB, shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:0". The name is between the
// first parenthesis and the last that a size follows, whatever is in it.
std::optional<Victim> parse_victim(std::string_view text) {
  constexpr std::string_view kKilled = ": Killed process ", kSizes = ") total-vm:";
  const auto killed = text.find(kKilled);
  const auto cause = text.substr(0, killed);
  Victim victim{.in_cgroup = cause == "Memory cgroup out of memory"};
  if (!victim.in_cgroup && cause != "Out of memory" &&
      cause != "Out of memory (oom_kill_allocating_task)")
    return {};
  if (killed == text.npos) return {};
  Scanner scan(text.substr(killed + kKilled.size()));
  if (!scan.number(victim.pid).skip(" (").ok() || victim.pid == 0) return {};
  const auto sizes = scan.rest().rfind(kSizes);
  if (sizes > OomLog::kMaxName) return {};  // npos: there are none
  victim.name = scan.rest().substr(0, sizes);
  Scanner figures(scan.rest().substr(sizes + kSizes.size()));
  figures.kilobytes(victim.total_vm).skip(", anon-rss:").kilobytes(victim.anon_rss);
  figures.skip(", file-rss:").kilobytes(victim.file_rss);
  figures.skip(", shmem-rss:").kilobytes(victim.shmem_rss);
  std::uint64_t page_tables = 0;  // the table of tasks has it too
  figures.skip(", UID:").number(victim.uid).skip(" pgtables:").kilobytes(page_tables);
  if (!figures.skip(" oom_score_adj:").number(victim.score_adj).done()) return {};
  return victim;
}

// Nobody is killed after these.
bool gives_up(std::string_view text) {
  return text.starts_with("Out of memory and no killable processes") ||
         text.find(": OOM victim ") != text.npos;
}

bool is_within(std::string_view path, std::string_view above) {
  return above == "/" || path == above ||
         (path.starts_with(above) && path.substr(above.size()).starts_with('/'));
}

struct Paths {
  std::string_view oom_memcg, task_memcg;
};

// All ways to read "...,oom_memcg=PATH,task_memcg=PATH" or "...,global_oom,task_memcg=PATH" that
// the kernel can have meant. Paths may hold commas and these very words.
std::vector<Paths> readings(std::string_view head, bool in_cgroup) {
  constexpr std::string_view kTask = ",task_memcg=", kOom = ",oom_memcg=", kGlobal = ",global_oom";
  std::vector<Paths> found;
  for (auto task = head.find(kTask); task != head.npos; task = head.find(kTask, task + 1)) {
    const auto path = head.substr(task + kTask.size());
    const auto before = head.substr(0, task);
    if (!path.starts_with('/')) continue;
    if (!in_cgroup && before.ends_with(kGlobal)) found.push_back({"", path});
    for (auto oom = before.find(kOom); in_cgroup && oom != before.npos;
         oom = before.find(kOom, oom + 1)) {
      const auto above = before.substr(oom + kOom.size());
      if (above.starts_with('/') && is_within(path, above)) found.push_back({above, path});
      if (found.size() > OomLog::kMaxReadings) return {};
    }
    if (found.size() > OomLog::kMaxReadings) return {};
  }
  return found;
}

// A line longer than printk's is cut, and lacks its end.
bool is_whole(std::string_view kill_line) {
  const auto uid = kill_line.rfind(",uid=");
  return uid != kill_line.npos && signed_number(kill_line.substr(uid + 5)).has_value();
}

std::string end_of_kill_line(const Victim& victim) {
  return fmt::format(",task={},pid={},uid={}", victim.name, victim.pid,
                     static_cast<std::int32_t>(victim.uid));
}

}  // namespace

std::optional<Report> OomLog::feed(std::string_view text, std::uint64_t microseconds) {
  if (auto victim = parse_victim(text)) return on_victim(std::move(*victim), microseconds);
  if (const auto end = text.find(kInvoked); end <= kMaxName)  // npos: not this line
    begin(std::string(text.substr(0, end)));
  else if (gives_up(text))
    forget();
  else if (open_)
    read_detail(text);
  return {};
}

bool OomLog::may_concern(std::string_view text) {
  constexpr std::array<std::string_view, 9> kStarts = {
      "Out of memory", "Memory cgroup ", kKillLine, "Tasks in ", "memory: ",
      "memory+swap: ", "swap: ",         "CPU: ",   "[  pid  ]"};
  constexpr std::string_view kDigits = "0123456789";
  if (std::ranges::any_of(kStarts, [&](auto start) { return text.starts_with(start); }))
    return true;
  if (text.contains(kInvoked) || gives_up(text)) return true;
  const auto first = text.find_first_not_of(' ', 1);  // "[   2031]", a row
  return text.starts_with('[') && first != text.npos && kDigits.contains(text[first]);
}

void OomLog::begin(std::string invoker) {
  Open next;
  next.around.invoker = std::move(invoker);
  if (open_ && open_->killed.empty()) {
    next.mixed = true;
    next.kill_lines = std::move(open_->kill_lines);
  }
  open_ = std::move(next);
}

void OomLog::read_detail(std::string_view text) {
  Open& open = *open_;
  if (std::exchange(open.in_head, false)) read_processor(text);
  if (text.starts_with(kKillLine) && open.kill_lines.size() < kMaxKillLines)
    open.kill_lines.emplace_back(text);
  if (const auto path =
          between(text, "Tasks in ", " are going to be killed due to memory.oom.group set");
      path && path->starts_with('/'))
    open.around.group = *path;
  if (open.mixed || !open.killed.empty() || read_memory(text)) return;
  if (const auto path = between(text, "Memory cgroup stats for ", ":");
      path && path->starts_with('/') && open.stats_of.empty())
    open.stats_of = *path;
  if (text.starts_with("[  pid  ]"))
    read_header(text);
  else if (text.starts_with('['))
    read_row(text);
}

// "CPU: 1 UID: 0 PID: 173 Comm: hog Not tainted ..."; UID since 6.12. Only right behind the first
// line it is surely the same task's.
void OomLog::read_processor(std::string_view text) {
  std::uint32_t ignored = 0, pid = 0;
  Scanner scan(text);
  scan.skip("CPU: ").number(ignored).skip(" ");
  if (scan.ok() && scan.rest().starts_with("UID: ")) scan.skip("UID: ").number(ignored).skip(" ");
  if (scan.skip("PID: ").number(pid).skip(" Comm: ").skip(open_->around.invoker).skip(" ").ok())
    open_->around.invoker_pid = pid;
}

bool OomLog::read_memory(std::string_view text) {
  constexpr std::string_view kMemory = "memory: ", kBoth = "memory+swap: ", kSwap = "swap: ";
  Circumstances& around = open_->around;
  const bool both = text.starts_with(kBoth);
  if (text.starts_with(kMemory) && !around.memory)
    around.memory = parse_use(text.substr(kMemory.size()));
  else if ((both || text.starts_with(kSwap)) && !around.swap)
    around.swap = parse_use(text.substr(both ? kBoth.size() : kSwap.size()));
  else
    return false;
  around.swap_with_memory |= both;
  return true;
}

// "[  pid  ]   uid  tgid total_vm      rss ... oom_score_adj name": 6.8 has columns more than 5.4.
void OomLog::read_header(std::string_view text) {
  std::vector<std::string> columns;
  Scanner scan(text);
  for (scan.skip("[  pid  ]").blanks(); !scan.rest().empty(); scan.blanks()) {
    const auto word = scan.rest().substr(0, scan.rest().find(' '));
    columns.emplace_back(word);
    scan.skip(word);
    if (columns.size() > kMaxColumns) return;
  }
  const bool known = !columns.empty() && columns.back() == "name" &&
                     std::ranges::count(columns, "tgid") == 1 &&
                     std::ranges::count(columns, "rss") == 1;
  if (!known) return;
  columns.pop_back();
  open_->columns = std::move(columns);
}

void OomLog::read_row(std::string_view text) {
  if (open_->columns.empty()) return;
  Task task;
  std::uint32_t thread = 0;
  Scanner scan(text);
  scan.skip("[").blanks().number(thread).skip("]");
  for (const auto& column : open_->columns) {
    std::int64_t value = 0;
    if (!scan.blanks().number(value).ok()) return;
    set(task, column, value);
  }
  if (!scan.skip(" ").ok() || scan.rest().size() > kMaxName) return;
  task.name = scan.rest();
  open_->around.tasks_seen++;
  if (open_->processes.size() < kMaxRows) open_->processes.emplace(thread, task.pid);
  keep(std::move(task));
}

void OomLog::set(Task& task, std::string_view column, std::int64_t value) const {
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
  const auto pages = std::min(count, std::numeric_limits<std::int64_t>::max() / page_bytes_);
  if (column == "uid") task.uid = count;
  if (column == "tgid") task.pid = count;
  if (column == "total_vm") task.total_vm = pages * page_bytes_;
  if (column == "rss") task.rss = pages * page_bytes_;
  if (column == "pgtables_bytes") task.page_tables = count;
  if (column == "swapents") task.swap = pages * page_bytes_;
  if (column == "oom_score_adj")
    task.score_adj = static_cast<std::int32_t>(std::clamp<std::int64_t>(value, -1000, 1000));
}

void OomLog::keep(Task task) {
  auto& tasks = open_->around.tasks;
  const auto at = std::ranges::upper_bound(tasks, task.rss, std::greater(), &Task::rss);
  tasks.insert(at, std::move(task));
  if (tasks.size() > OomReported::kMaxTasks) tasks.pop_back();
}

std::optional<Report> OomLog::on_victim(Victim victim, std::uint64_t microseconds) {
  if (!open_) return Report{.victim = std::move(victim), .around = {}};
  Open& open = *open_;
  // With memory.oom.group the kernel comes to the first victim once more.
  if (std::ranges::find(open.killed, victim.pid) != open.killed.end()) return {};
  const bool first = open.killed.empty();
  const bool ours = first ? is_chosen(victim) : follows(victim, microseconds);
  if (!ours) return Report{.victim = std::move(victim), .around = {}};
  if (open.killed.size() < kMaxVictims) open.killed.push_back(victim.pid);
  if (const auto process = open.processes.find(victim.pid); process != open.processes.end())
    victim.pid = static_cast<std::uint32_t>(process->second);
  if (first) {
    open.around.chosen_pid = victim.pid;
    open.killed_at = microseconds;
    if (open.around.oom_memcg.empty() && victim.in_cgroup) open.around.oom_memcg = open.stats_of;
  }
  return Report{.victim = std::move(victim), .around = open.around};
}

bool OomLog::is_chosen(const Victim& victim) {
  const auto end = end_of_kill_line(victim);
  bool whole = false;
  for (const std::string_view line : open_->kill_lines) {
    if (line.ends_with(end)) {
      read_kill_line(line.substr(kKillLine.size(), line.size() - kKillLine.size() - end.size()),
                     victim);
      if (open_->mixed) open_->around.invoker.clear();
      return true;
    }
    whole |= is_whole(line);
  }
  return !open_->mixed && !whole && (open_->processes.empty() || listed(victim));
}

bool OomLog::follows(const Victim& victim, std::uint64_t microseconds) const {
  return !open_->around.group.empty() && microseconds >= open_->killed_at &&
         microseconds - open_->killed_at <= kGroupLasts && listed(victim);
}

bool OomLog::listed(const Victim& victim) const {
  return open_->processes.contains(victim.pid);
}

// `head` is "CONSTRAINT_MEMCG,nodemask=...,task_memcg=/x".
void OomLog::read_kill_line(std::string_view head, const Victim& victim) {
  const auto constraint = head.substr(0, head.find(','));
  if (std::ranges::find(kConstraints, constraint) == kConstraints.end()) return;
  if ((constraint == kInMemcg) != victim.in_cgroup) return;
  Circumstances& around = open_->around;
  around.constraint = constraint;
  auto possible = readings(head, victim.in_cgroup);
  if (!open_->stats_of.empty())
    std::erase_if(possible, [&](const Paths& p) { return p.oom_memcg != open_->stats_of; });
  if (possible.size() != 1) return;
  around.oom_memcg = possible.front().oom_memcg;
  around.task_memcg = possible.front().task_memcg;
}

}  // namespace tapio::kmsg
