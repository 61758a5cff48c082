// SPDX-License-Identifier: Apache-2.0
#include "enrich/cgroupfs.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace tapio::cgroupfs {
namespace {

constexpr std::uint64_t kRootId = 1;  // the first that kernfs gives out
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

// The next line's text before `end`, which is taken off.
std::string_view take_until(std::string_view& text, char end) {
  const auto head = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), head.size() + 1));
  return head;
}

bool lists(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty())
    if (take_until(controllers, ',') == wanted) return true;
  return false;
}

// 5.4 puts a generation of 1 above it.
bool is_root(int directory) {
  return static_cast<std::uint32_t>(capture::cgroup_id_of(directory)) == kRootId;
}

std::unexpected<Error> refused(int err, const std::string& path) {
  if (err == ENOENT || err == ESRCH) return fail(Fault::unavailable, "the process is gone");
  return from_errno(err, path);
}

Result<std::string> read_all(const std::string& path, std::size_t limit) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return refused(errno, path);
  std::string text(limit, '\0');
  std::size_t size = 0;
  while (size < limit) {
    const auto got = ::read(file.get(), text.data() + size, limit - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused(errno, path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

}  // namespace

std::string_view path_in(std::string_view proc_cgroup, std::string_view hierarchy) {
  const bool v2 = hierarchy == "v2";
  const auto controller = hierarchy.starts_with("v1 ") ? hierarchy.substr(3) : std::string_view{};
  while (!proc_cgroup.empty()) {
    auto line = take_until(proc_cgroup, '\n');
    const auto number = take_until(line, ':');
    const auto controllers = take_until(line, ':');
    const bool this_one = v2 ? number == "0" && controllers.empty()
                             : !controller.empty() && lists(controllers, controller);
    if (this_one && line.starts_with('/')) return line;
  }
  return {};
}

Result<Walker> Walker::open(const std::string& mount) {
  if (mount.empty()) return fail(Fault::unsupported, "no cgroup file system is mounted");
  const int root = ::open(mount.c_str(), kDirectory);
  if (root < 0) return from_errno(errno, "open " + mount);
  Walker walker;
  if (!is_root(root)) walker.path_ = kUnseenHead;
  DIR* list = ::fdopendir(root);
  if (!list) {
    ::close(root);
    return from_errno(errno, "list " + mount);
  }
  walker.levels_.push_back({std::unique_ptr<DIR, Freed<::closedir>>(list), walker.path_.size()});
  return walker;
}

bool Walker::step(std::chrono::nanoseconds budget, const Found& found) {
  const auto end = monotonic_now() + budget;
  if (seen_ == 0 && !levels_.empty()) {
    seen_++;
    const auto id = capture::cgroup_id_of(::dirfd(levels_.back().list.get()));
    found(id, path_.empty() ? std::string_view("/") : path_, monotonic_now());
  }
  while (!levels_.empty()) {
    visit_next(found);
    if (monotonic_now() >= end) break;
  }
  return levels_.empty();
}

void Walker::visit_next(const Found& found) {
  Level& level = levels_.back();
  path_.resize(level.path_bytes);
  errno = 0;
  const dirent* entry = ::readdir(level.list.get());
  if (!entry) {
    complete_ &= errno == 0;
    levels_.pop_back();
    return;
  }
  const std::string_view name = entry->d_name;
  if (name == "." || name == ".." || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
    return;
  if (seen_ >= kMaxDirectories) {
    complete_ = false;
    levels_.clear();
    return;
  }
  path_.append("/").append(name);
  if (!enter(::dirfd(level.list.get()), entry->d_name, found)) complete_ = false;
}

// A directory that is gone meanwhile is no fault: its end is an event.
Status Walker::enter(int parent, const char* name, const Found& found) {
  const auto time = monotonic_now();
  Fd directory{::openat(parent, name, kDirectory)};
  if (!directory) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ENODEV) return {};
    return from_errno(errno, "open a cgroup");
  }
  seen_++;
  found(capture::cgroup_id_of(directory.get()), path_, time);
  if (levels_.size() >= kMaxDepth) return fail(Fault::exhausted, "cgroups are too deep");
  // The list owns the descriptor from here on.
  const int owned = ::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0);
  DIR* list = owned < 0 ? nullptr : ::fdopendir(owned);
  if (!list) {
    const int err = errno;
    if (owned >= 0) ::close(owned);
    return from_errno(err, "list a cgroup");
  }
  levels_.push_back({std::unique_ptr<DIR, Freed<::closedir>>(list), path_.size()});
  return {};
}

Result<std::string> Resolver::path_of(std::uint64_t id, std::uint32_t pid, MonotonicTime now) {
  if (hierarchy_.mount.empty()) return fail(Fault::unsupported, "no cgroup file system is mounted");
  if (!rate_.admit(now)) return fail(Fault::exhausted, "too many cgroups to look up");
  const auto text = TRY(read_all(proc_ + "/" + std::to_string(pid) + "/cgroup", kMaxText));
  auto path = path_in(text, hierarchy_.name);
  if (path.empty()) return fail(Fault::unavailable, "the process has no such cgroup");
  // Above the cgroup namespace that the agent sees from. Whether the rest begins at the root of
  // what is mounted is told by the id.
  while (path == "/.." || path.starts_with("/../")) path.remove_prefix(3);
  const Fd root{::open(hierarchy_.mount.c_str(), kDirectory)};
  if (!root) return from_errno(errno, "open " + hierarchy_.mount);
  const std::string below = "." + std::string(path);
  const Fd directory{::openat(root.get(), below.c_str(), kDirectory)};
  if (!directory || capture::cgroup_id_of(directory.get()) != id)
    return fail(Fault::unavailable, "the process is in another cgroup");
  std::string known(is_root(root.get()) ? "" : kUnseenHead);
  known += path;
  return known.empty() ? "/" : known;
}

}  // namespace tapio::cgroupfs
