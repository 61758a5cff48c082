// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace tapio {

// A memory cgroup of a test's own, below the root of the hierarchy that has the controller: v1 or
// v2. Removed at the end; by then its processes must have been waited for.
class MemoryCgroup {
 public:
  // The name gets the pid of this process. Within `parent`, which then has no processes itself.
  static Result<MemoryCgroup> make(std::string_view name, MemoryCgroup* parent = nullptr) {
    auto [mount, v2] = TRY(find());
    const std::string above = parent ? parent->directory_ : mount;
    // Refused where it is so already, or is the business of another.
    if (v2) (void)write(above + "/cgroup.subtree_control", "+memory");
    const std::string own = fmt::format("/{}-{}", name, ::getpid());
    if (::mkdir((above + own).c_str(), 0755) != 0) return from_errno(errno, "mkdir " + above + own);
    return MemoryCgroup(above + own, (parent ? parent->path_ : "") + own, v2);
  }
  MemoryCgroup(MemoryCgroup&& other) noexcept
      : directory_(std::exchange(other.directory_, {})),
        path_(std::move(other.path_)),
        v2_(other.v2_) {}
  MemoryCgroup& operator=(MemoryCgroup&&) = delete;
  ~MemoryCgroup() {
    using namespace std::chrono_literals;
    if (directory_.empty()) return;
    // Who has been waited for may count for a moment longer.
    for (int i = 0; i < 100 && ::rmdir(directory_.c_str()) != 0 && errno == EBUSY; ++i)
      std::this_thread::sleep_for(10ms);
  }

  // Of memory; nothing is swapped out where the kernel can be told so.
  [[nodiscard]] Status limit(std::uint64_t bytes) const {
    const auto text = std::to_string(bytes);
    TRY(write(directory_ + (v2_ ? "/memory.max" : "/memory.limit_in_bytes"), text));
    if (v2_)
      (void)write(directory_ + "/memory.swap.max", "0");
    else
      (void)write(directory_ + "/memory.memsw.limit_in_bytes", text);
    return {};
  }
  // The calling process moves in.
  [[nodiscard]] bool join() const { return write(directory_ + "/cgroup.procs", "0").has_value(); }
  // As the kernel names it: from the root of the hierarchy.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  MemoryCgroup(std::string directory, std::string path, bool v2)
      : directory_(std::move(directory)), path_(std::move(path)), v2_(v2) {}

  static Result<std::pair<std::string, bool>> find() {
    // "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory", see proc(5).
    std::ifstream file("/proc/self/mountinfo");
    std::string v2;
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string skipped, mount, type;
      for (int i = 0; i < 4; ++i) words >> skipped;
      words >> mount;
      while (words >> skipped && skipped != "-") {
      }
      std::string source, options;
      words >> type >> source >> options;
      if (type == "cgroup" && (options + ",").find(",memory,") != options.npos)
        return std::pair(mount, false);
      if (type == "cgroup2") v2 = mount;
    }
    if (!v2.empty()) return std::pair(v2, true);
    return fail(Fault::unsupported, "no hierarchy of cgroups has the memory controller");
  }
  static Status write(const std::string& file, std::string_view text) {
    const Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd || ::write(fd.get(), text.data(), text.size()) < 0)
      return from_errno(errno, "write " + file);
    return {};
  }

  std::string directory_;  // "": moved from
  std::string path_;
  bool v2_ = false;
};

// Touches so much memory, a step at a time, and keeps it. From the kernel and not from the heap,
// where some may be resident since before the fork.
inline void take_memory(std::size_t bytes, std::size_t step, std::chrono::milliseconds pause) {
  constexpr std::size_t kPage = 4096;
  for (std::size_t taken = 0; taken < bytes; taken += step) {
    void* memory =
        ::mmap(nullptr, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    for (std::size_t i = 0; i < step; i += kPage) static_cast<volatile char*>(memory)[i] = 1;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace tapio
