// SPDX-License-Identifier: Apache-2.0
#include "agent/service_manager.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "temporary.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// As systemd listens; the name may be abstract.
class Manager : public testing::Test {
 protected:
  void listen(const std::string& name) {
    sockaddr_un at{.sun_family = AF_UNIX, .sun_path = {}};
    name.copy(at.sun_path, name.size());
    if (name.front() == '@') at.sun_path[0] = '\0';
    const auto bytes = offsetof(sockaddr_un, sun_path) + name.size();
    socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&at),
                     static_cast<socklen_t>(bytes)),
              0);
  }
  [[nodiscard]] std::vector<std::string> heard() const {
    std::vector<std::string> all;
    std::array<char, 256> one;
    for (ssize_t got; (got = ::recv(socket_.get(), one.data(), one.size(), 0)) > 0;)
      all.emplace_back(one.data(), static_cast<std::size_t>(got));
    return all;
  }
  void TearDown() override {
    for (const auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }

  Temporary directory_;
  const std::string path_ = directory_.file("notify");
  Fd socket_;
};

TEST_F(Manager, hears_that_the_agent_watches_and_that_it_ends) {
  listen(path_);
  ServiceManager manager(path_);
  manager.ready();
  manager.alive(1h);  // nobody watches over it
  manager.stopping();
  EXPECT_THAT(heard(), ElementsAre("READY=1", "STOPPING=1"));
}

TEST_F(Manager, hears_of_life_twice_in_the_watchdogs_time) {
  listen(path_);
  ServiceManager manager(path_, 10s);
  for (auto now = 100s; now < 120s; ++now) manager.alive(now);
  EXPECT_THAT(heard(), ElementsAre("WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"));
}

TEST_F(Manager, is_found_by_the_environment_also_under_an_abstract_name) {
  const auto name = fmt::format("@tapio-test-{}", ::getpid());
  listen(name);
  ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "5000000", 1);
  ::setenv("WATCHDOG_PID", fmt::format("{}", ::getpid()).c_str(), 1);
  auto manager = ServiceManager::from_environment();
  manager.ready();
  manager.alive(1h);
  EXPECT_THAT(heard(), ElementsAre("READY=1", "WATCHDOG=1"));
}

TEST_F(Manager, has_a_watchdog_only_for_the_process_that_it_names_and_for_a_time_that_is_one) {
  listen(path_);
  ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "5000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  ServiceManager::from_environment().alive(1h);
  ::unsetenv("WATCHDOG_PID");
  for (const auto* time : {"", "0", "-5", "5s", "9223372036854775807"}) {
    ::setenv("WATCHDOG_USEC", time, 1);
    ServiceManager::from_environment().alive(1h);
  }
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(Manager, that_is_not_there_is_told_nothing) {
  ServiceManager::from_environment().ready();
  ServiceManager(path_).ready();
  ServiceManager("/" + std::string(200, 'x')).ready();
}

}  // namespace
}  // namespace tapio::agent
