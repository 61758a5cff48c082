// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "capture/kernel.hpp"

namespace tapio {

// A control group of a test, with those above it that were not there; all are removed at the end.
// `path` begins with "/tapio-test-PID", so that tests do not meet.
class TestCgroup {
 public:
  explicit TestCgroup(const std::string& below,
                      std::string mount = capture::find_hierarchy(capture::find_btf("")).mount)
      : mount_(std::move(mount)), path_("/tapio-test-" + std::to_string(::getpid()) + below) {
    for (auto end = path_.find('/', 1);; end = path_.find('/', end + 1)) {
      const auto one = path_.substr(0, end);
      if (::mkdir((mount_ + one).c_str(), 0755) == 0) made_.push_back(one);
      if (end == std::string::npos) break;
    }
    const Fd opened{::open(directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    id_ = capture::cgroup_id_of(opened.get());
  }
  TestCgroup(const TestCgroup&) = delete;
  TestCgroup& operator=(const TestCgroup&) = delete;
  ~TestCgroup() { remove(); }

  // A process that has just ended still holds its cgroup for a moment.
  void remove() {
    for (; !made_.empty(); made_.pop_back())
      for (int i = 0; i < 100 && ::rmdir((mount_ + made_.back()).c_str()) && errno == EBUSY; ++i)
        ::usleep(10'000);
  }
  // The calling process moves there.
  void enter() const { write("cgroup.procs", std::to_string(::getpid())); }
  bool write(const std::string& file, const std::string& text) const {
    std::ofstream out(directory() + "/" + file);
    out << text << std::flush;
    return out.good();
  }

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string directory() const { return mount_ + path_; }

 private:
  std::string mount_;
  std::string path_;
  std::vector<std::string> made_;  // outermost first
  std::uint64_t id_ = 0;
};

}  // namespace tapio
