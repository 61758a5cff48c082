// SPDX-License-Identifier: Apache-2.0
#include "enrich/proc.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "decode/words.hpp"

namespace tapio::proc {
namespace {

std::string pid_path(std::uint32_t pid) {
  return std::to_string(pid);
}

std::unexpected<Error> refused(int err, std::string_view doing) {
  if (err == ENOENT || err == ESRCH) return fail(Fault::unavailable, "the process is gone");
  return from_errno(err, doing);
}

// At most `limit` bytes of it.
Result<std::string> read_file(int directory, const char* name, std::size_t limit) {
  const Fd file{::openat(directory, name, O_RDONLY | O_CLOEXEC)};
  if (!file) return refused(errno, name);
  std::string text;
  while (text.size() < limit) {
    const auto before = text.size();
    text.resize(std::min(limit, before + 4096));
    const auto got = ::read(file.get(), text.data() + before, text.size() - before);
    if (got < 0 && errno != EINTR) return refused(errno, name);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
  }
  return text;
}

// "": none, or hidden.
std::string read_link(int directory, const char* name) {
  std::array<char, Reader::kMaxLink> text;
  const auto got = ::readlinkat(directory, name, text.data(), text.size());
  return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string{};
}

// "1000 1000 1000 1000": real, effective, saved, file system.
bool parse_ids(std::string_view text, std::uint32_t& real, std::uint32_t& effective,
               std::uint32_t& saved) {
  return number(word(text), real) && number(word(text), effective) && number(word(text), saved);
}

bool parse_line(std::string_view key, std::string_view value, IdentityLines& out) {
  Credentials& c = out.credentials;
  if (key == "Uid") return parse_ids(value, c.uid, c.euid, c.suid);
  if (key == "Gid") return parse_ids(value, c.gid, c.egid, c.sgid);
  if (key == "CapInh") return number(word(value), c.inheritable, 16);
  if (key == "CapPrm") return number(word(value), c.permitted, 16);
  if (key == "CapEff") return number(word(value), c.effective, 16);
  if (key == "CapBnd") return number(word(value), c.bounding, 16);
  if (key == "CapAmb") return number(word(value), c.ambient, 16);
  if (key != "NSpid") return true;
  for (auto pid = word(value); !pid.empty(); pid = word(value))
    if (!number(pid, out.virtual_pid)) return false;
  return true;
}

}  // namespace

// The kernel escapes newlines in the name, the only text of a stranger here.
Result<IdentityLines> parse_status(std::string_view text) {
  IdentityLines lines;
  bool has_uid = false;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto colon = line.find(':');
    if (colon == line.npos) continue;
    const auto key = line.substr(0, colon);
    if (!parse_line(key, line.substr(colon + 1), lines))
      return invalid("status: a line is malformed");
    has_uid |= key == "Uid";
  }
  if (!has_uid) return invalid("status: no Uid");
  return lines;
}

std::uint64_t parse_namespace(std::string_view link) {
  static constexpr std::string_view kHead = "pid:[";
  if (!link.starts_with(kHead) || !link.ends_with(']')) return 0;
  std::uint64_t inode = 0;
  link.remove_prefix(kHead.size());
  link.remove_suffix(1);
  return number(link, inode) ? inode : 0;
}

std::vector<std::string_view> split_cmdline(std::string_view text) {
  std::vector<std::string_view> args;
  while (!text.empty() && args.size() < kMaxArgs) {
    args.push_back(text.substr(0, text.find('\0')));
    text.remove_prefix(std::min(text.size(), args.back().size() + 1));
  }
  return args;
}

ProcessExecuted Snapshot::fact(std::span<const std::string_view> redacted) const {
  return {.time = time,
          .process = process,
          .parent = parent,
          .virtual_pid = virtual_pid,
          .pid_namespace = pid_namespace,
          .credentials = credentials,
          .name = name,
          .executable = executable,
          .args = redacted,
          .args_bytes = args_bytes};
}

Result<Reader> Reader::open(const std::string& root) {
  Fd directory{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory) return from_errno(errno, "open " + root);
  return Reader(std::move(directory));
}

Result<Snapshot> Reader::read(std::uint32_t pid) const {
  const auto time = monotonic_now();
  const Fd directory{
      ::openat(root_.get(), pid_path(pid).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory) return refused(errno, "open");
  const auto stat_text = TRY(read_file(directory.get(), "stat", kMaxStat));
  const auto stat = TRY(parse_stat(stat_text));
  if (stat.dead()) return fail(Fault::unavailable, "the process is a zombie");
  const auto status_text = TRY(read_file(directory.get(), "status", kMaxStatus));
  const auto status = TRY(parse_status(status_text));
  const auto cmdline = TRY(read_file(directory.get(), "cmdline", kMaxCmdline));
  const auto args = split_cmdline(cmdline);

  return Snapshot{
      .time = time,
      .process = {pid, stat.start_ticks},
      .parent = {},
      .parent_pid = stat.parent_pid,
      .virtual_pid = status.virtual_pid != 0 ? status.virtual_pid : pid,
      .pid_namespace = parse_namespace(read_link(directory.get(), "ns/pid")),
      .credentials = status.credentials,
      .name = std::string(stat.name),
      .executable = read_link(directory.get(), "exe"),
      .args = {args.begin(), args.end()},
      .args_bytes = std::max<std::uint64_t>(stat.args_bytes, cmdline.size()),
  };
}

Result<ProcessId> Reader::identify(std::uint32_t pid) const {
  const auto path = pid_path(pid) + "/stat";
  const auto text = TRY(read_file(root_.get(), path.c_str(), kMaxStat));
  return ProcessId{pid, TRY(parse_stat(text)).start_ticks};
}

std::optional<bool> Reader::shows_host() const {
  static constexpr std::uint64_t kInitial = 0xEFFFFFFC;  // PROC_PID_INIT_INO, linux/proc_ns.h
  const auto inode = parse_namespace(read_link(root_.get(), "1/ns/pid"));
  if (inode == 0) return {};
  return inode == kInitial;
}

Result<Seeder> Seeder::open(const std::string& root) {
  auto reader = TRY(Reader::open(root));
  const int copy = ::openat(reader.directory(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return from_errno(errno, "open " + root);
  DIR* list = ::fdopendir(copy);
  if (!list) {
    ::close(copy);
    return from_errno(errno, "list " + root);
  }
  return Seeder(std::move(reader), list);
}

bool Seeder::step(std::chrono::nanoseconds budget, const Found& found) {
  const auto end = monotonic_now() + budget;
  while (!finished_) {
    errno = 0;
    const dirent* entry = ::readdir(list_.get());
    if (!entry) {
      listing_failed_ = errno != 0;
      finished_ = true;
      break;
    }
    std::uint32_t pid = 0;
    if (!number(std::string_view(entry->d_name), pid) || pid == 0) continue;
    visit(pid, found);
    if (monotonic_now() >= end) break;
  }
  return finished_;
}

void Seeder::visit(std::uint32_t pid, const Found& found) {
  auto snapshot = reader_.read(pid);
  if (snapshot) {
    stats_.found++;
    saw_first_ |= pid == 1;
    snapshot->parent = parent_of(*snapshot);
    return found(*snapshot);
  }
  switch (snapshot.error().fault) {
    case Fault::unavailable:
      stats_.vanished++;
      return;
    case Fault::invalid:
      stats_.malformed++;
      return;
    case Fault::denied:
    case Fault::unsupported:
    case Fault::exhausted:
    case Fault::broken:
      stats_.denied++;
      return;
  }
}

// The parent may have ended, and its pid be another's, since the child was read.
ProcessId Seeder::parent_of(const Snapshot& child) {
  if (child.parent_pid == 0) return {};
  if (child.parent_pid != latest_parent_pid_) {
    const auto parent = reader_.identify(child.parent_pid);
    latest_parent_pid_ = child.parent_pid;
    latest_parent_ = parent ? *parent : ProcessId{};
  }
  return latest_parent_.start_ticks <= child.process.start_ticks ? latest_parent_ : ProcessId{};
}

Coverage Seeder::coverage() const {
  const bool whole = finished_ && !listing_failed_ && saw_first_ && stats_.denied == 0 &&
                     stats_.malformed == 0 && reader_.shows_host().value_or(true);
  return whole ? Coverage::complete : Coverage::partial;
}

}  // namespace tapio::proc
