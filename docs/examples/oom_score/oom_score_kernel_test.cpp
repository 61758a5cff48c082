// SPDX-License-Identifier: Apache-2.0
// The hook on the live kernel: real scores are changed, those of children made for it.
#include <fcntl.h>
#include <fmt/format.h>

#include <csignal>

#include "oom_score_config.hpp"
#include "oom_score_observer.hpp"
#include "rig.hpp"

namespace tapio::oom_score {

extern const Descriptor descriptor;

namespace {

// A process that does nothing until it is killed here.
class Sleeper {
 public:
  Sleeper() : pid_(child([] { return ::pause(); })) {}
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() {
    ::kill(pid_, SIGKILL);
    wait_for(pid_);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Up; down takes CAP_SYS_RESOURCE, which not every root has.
  [[nodiscard]] bool set_score(int adjustment) const {
    const Fd file{::open(fmt::format("/proc/{}/oom_score_adj", pid_).c_str(), O_WRONLY)};
    const auto text = std::to_string(adjustment);
    return ::write(file.get(), text.data(), text.size()) == std::ssize(text);
  }

 private:
  pid_t pid_;
};

Rig make_rig(const Config& config = {}) {
  auto section = config::section<Config>();
  section->as<Config>() = config;
  return Rig(descriptor, *section, {.self_tgid = 1});  // what the test itself does is to be seen
}

std::vector<std::int64_t> changes_of(const Rig& rig, const Sleeper& target) {
  std::vector<std::int64_t> list;
  for (const Record& record : rig.out.records)
    if (record.origin.pid == static_cast<std::uint32_t>(::getpid()) &&
        field<std::uint64_t>(record, "oom_score.target.pid") ==
            static_cast<std::uint64_t>(target.pid()))
      list.push_back(field<std::int64_t>(record, "oom_score.adjustment"));
  return list;
}

class OomScoreOnKernel : public OnEveryPath {};
INSTANTIATE_TEST_SUITE_P(Paths, OomScoreOnKernel, kEveryPath, path_name);

TEST_P(OomScoreOnKernel, each_change_is_told_with_who_made_it_and_whose_it_is) {
  auto rig = make_rig();
  const Sleeper sleeper;
  ASSERT_TRUE(sleeper.set_score(500));
  ASSERT_TRUE(sleeper.set_score(1000));
  rig.drain();
  EXPECT_EQ(changes_of(rig, sleeper), (std::vector<std::int64_t>{500, 1000}));
}

TEST_P(OomScoreOnKernel, only_extremes_are_told_when_that_is_asked_for) {
  auto rig = make_rig({.only_extremes = true});
  const Sleeper sleeper;
  ASSERT_TRUE(sleeper.set_score(500));
  ASSERT_TRUE(sleeper.set_score(1000));
  rig.drain();
  EXPECT_EQ(changes_of(rig, sleeper), (std::vector<std::int64_t>{1000}));
  EXPECT_GE(rig.balance(TAPIO_OOM_SCORE_ON_UPDATE).row.filtered, 1u) << "left out by the program";
}

}  // namespace
}  // namespace tapio::oom_score
